import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';

interface Installed {
  version?: string;
  integrity?: string;
  resolved?: string;
  gypfile?: boolean;
  optionalDependencies?: Record<string, string>;
}

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  packages: Record<string, Installed>;
};
const { '': _root, ...installed } = packages;

t.test('the lock file has every package of every platform, by its hash alone', async (t) => {
  const missing = Object.values(installed).flatMap(({ optionalDependencies = {} }) =>
    Object.keys(optionalDependencies).filter(
      (name) => !Object.keys(installed).some((path) => path.endsWith(`node_modules/${name}`)),
    ),
  );
  t.same(missing, [], '`npm ci` would refuse');
  const loose = Object.entries(installed).filter(
    ([, { integrity, resolved }]) => integrity === undefined || resolved !== undefined,
  );
  t.same(loose, []);
});

t.test('npm 10 compiles nothing', async (t) => {
  // It learns from the lock file alone that a package with a binding.gyp has its binaries already.
  for (const [path, { gypfile }] of Object.entries(installed)) {
    if (!existsSync(`${path}/binding.gyp`)) continue;
    const { scripts = {} } = JSON.parse(readFileSync(`${path}/package.json`, 'utf8'));
    t.ok(scripts.install || gypfile === false, `${path}: needs "gypfile": false in the lock file`);
  }
});

t.test('direct dependencies have exact versions', async (t) => {
  const generators = JSON.parse(readFileSync('test/generators/package.json', 'utf8'));
  const versions = Object.entries<string>({
    ...manifest.dependencies,
    ...manifest.devDependencies,
    ...generators.devDependencies,
  });
  t.same(
    versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)),
    [],
  );
});

t.test('the image has the Node of the tests', async (t) => {
  const [, version] = /^FROM node:([\d.]+)-slim$/m.exec(readFileSync('Dockerfile', 'utf8')) ?? [];
  t.equal(version, manifest.devDependencies.node);
  t.equal(process.version, `v${version}`);
  t.equal(version?.split('.')[0], readFileSync('.nvmrc', 'utf8').trim(), 'nvm takes it too');
});
