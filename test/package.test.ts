import { execFile } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { nodeCommand } from './child.ts';
import { folder } from './databases.ts';
import { startServer, walkThrough } from './readme-walk.ts';

const run = promisify(execFile);

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));

interface Packed {
  filename: string;
  integrity: string;
  /** Bytes. */
  size: number;
  unpackedSize: number;
  files: { path: string; mode: number }[];
}

/** `npm pack`, which builds the package first. npm is that of the machine; what it runs is the Node of the tests. */
async function pack(destination: string): Promise<Packed> {
  const words = ['pack', '--json', '--foreground-scripts=false', '--pack-destination', destination];
  const { stdout } = await run('npm', words);
  const [packed] = JSON.parse(stdout) as [Packed];
  return packed;
}

t.test('the package', async (t) => {
  const tarballs = folder(t);
  const packed = await pack(tarballs);
  const paths = packed.files.map(({ path }) => path);

  // An empty folder in which the package and what it depends on are installed. Nothing else can be imported from there.
  const project = folder(t);
  const home = join(project, 'node_modules', manifest.name);
  mkdirSync(home, { recursive: true });
  await run('tar', ['-xzf', join(tarballs, packed.filename), '-C', home, '--strip-components=1']);
  for (const name of Object.keys(manifest.dependencies)) {
    const link = join(project, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(resolve('node_modules', name), link);
  }
  const bin = join(home, manifest.bin.latchkey);
  const latchkey = (words: string[], env: Record<string, string> = {}) => {
    const [command, args] = nodeCommand([bin, ...words]);
    return run(command, args, { cwd: project, env: { PATH: process.env['PATH'], ...env } });
  };

  t.test('is the same when it is packed again', async (t) => {
    const again = await pack(folder(t));
    t.same(again.files, packed.files);
    t.equal(again.integrity, packed.integrity);
  });

  t.test('has what it needs to run, and no source, test or secret', async (t) => {
    const outside = paths.filter((path) => !path.startsWith('dist/'));
    const fixed = ['CHANGELOG.md', 'LICENSE', 'README.md', 'openapi.yaml', 'package.json'];
    t.same(outside.sort(), fixed.sort());
    const built = paths.filter((path) => path.startsWith('dist/'));
    t.same(
      built.filter((path) => !/\.(js|json|css|html|svg)$/.test(path)),
      ['client-dpop', 'client-mail-codes', 'client-passkeys', 'client', 'verify'].map(
        (name) => `dist/clients/${name}.d.ts`,
      ),
    );
    const tools = /commands\/(build|built-modules|generate|documents|client-module)\./;
    t.same(
      built.filter((path) => path.startsWith('dist/commands/') && tools.test(path)),
      [],
      'nothing that only a developer runs',
    );
    t.ok(packed.size < 550_000, `${packed.size} bytes packed`);
    t.ok(packed.unpackedSize < 2_000_000, `${packed.unpackedSize} bytes unpacked`);
    t.equal(packed.files.find(({ path }) => path === manifest.bin.latchkey)?.mode, 0o755);
  });

  t.test('has every file that a module reads beside itself', async (t) => {
    let found = 0;
    for (const path of globSync('dist/**/*.js', { cwd: home })) {
      const url = pathToFileURL(join(home, path));
      const text = readFileSync(url, 'utf8');
      for (const [, target = ''] of text.matchAll(/new URL\('(\.[^']*)', import\.meta\.url\)/g)) {
        // A module that browsers load has addresses there, not files.
        if (path.startsWith('dist/pages/')) continue;
        found += 1;
        t.ok(existsSync(fileURLToPath(new URL(target, url))), `${path}: ${target}`);
      }
    }
    t.ok(found >= 4, `${found}`);
  });

  t.test('signs a newcomer up and in, as the README shows, also with workers', async (t) => {
    const issuer = await startServer(t, { command: [bin, 'start'], env: { WORKERS: '2' } });
    await walkThrough(t, issuer);
    const files = ['client', 'client-passkeys', 'client-mail-codes', 'client-dpop'];
    for (const file of files.flatMap((name) => [`${name}.js`, `${name}.d.ts`])) {
      const served = await (await fetch(`${issuer}/${file}`)).text();
      t.equal(served, readFileSync(`src/clients/${file}`, 'utf8'), file);
    }
    for (const path of ['/docs', '/openapi.yaml'])
      t.equal((await fetch(`${issuer}${path}`)).status, 200, path);
  });

  t.test('has a command whose parts say how they are used, and how they ended', async (t) => {
    t.equal((await latchkey(['--version'])).stdout, `${manifest.version}\n`);
    const { stdout } = await latchkey(['--help']);
    const names = [...stdout.matchAll(/^ {2}([a-z]+) /gm)].map(([, name = '']) => name);
    t.ok(names.length >= 3, names.join());
    const helps = await Promise.all(names.map((name) => latchkey([name, '--help'])));
    for (const [index, help] of helps.entries())
      t.match(help.stdout, new RegExp(`^latchkey ${names[index]}\\b`));
    const keys = join(project, 'keys.json');
    await latchkey(['keys', 'init', keys]);
    t.match((await latchkey(['keys', 'status'], { SIGNING_KEYS: keys })).stdout, /ES256.*signing/);
    const refused: [string[], number][] = [
      [['strat'], 64],
      [['users', 'list'], 78],
      [['keys', 'init', keys], 73],
      [['start'], 78],
    ];
    await Promise.all(
      refused.map(([words, code]) =>
        t.rejects(latchkey(words, { SIGNING_KEYS: keys, PORT: 'http' }), { code }, words.join(' ')),
      ),
    );
  });

  t.test('can be imported, with types', async (t) => {
    writeFileSync(
      join(project, 'app.ts'),
      `import { createClient, LatchkeyError } from 'latchkey/client';
import { dpopFetch } from 'latchkey/client/dpop';
import { createMailCodes } from 'latchkey/client/mail-codes';
import { createPasskeys } from 'latchkey/client/passkeys';
import { createVerifier, TokenError } from 'latchkey/verify';
import manifest from 'latchkey/package.json' with { type: 'json' };
import ES256 from 'latchkey/vectors' with { type: 'json' };
import EdDSA from 'latchkey/vectors/EdDSA' with { type: 'json' };
import PS256 from 'latchkey/vectors/PS256' with { type: 'json' };
import RS256 from 'latchkey/vectors/RS256' with { type: 'json' };
import published from 'latchkey/vectors/test-keys' with { type: 'json' };

const kept = new Map<string, string>();
const storage = {
  getItem: (key: string) => kept.get(key) ?? null,
  setItem: (key: string, value: string) => kept.set(key, value),
  removeItem: (key: string) => kept.delete(key),
};
/** Only its types are checked. */
export async function token(): Promise<string | undefined> {
  const url = 'https://id.example.com';
  const client = createClient({ url, transport: 'body', storage, fetch: dpopFetch({ url }) });
  if (createPasskeys(client).isSupported) await createMailCodes(client).send('ada@example.com');
  return client.token().catch((error: unknown) => {
    if (error instanceof LatchkeyError) throw new Error(error.code ?? String(error.status));
    throw error;
  });
}

/** Only its types are checked. */
export async function guard(request: Request): Promise<string | Response> {
  const verifier = createVerifier({ issuer: 'https://id.example.com', revocations: false });
  const node: { headers: { authorization?: string } } = { headers: {} };
  try {
    await verifier.bearer(node);
    return (await verifier.bearer(request)).sub;
  } catch (error) {
    if (error instanceof TokenError) return error.response();
    throw error;
  }
}

console.log(JSON.stringify({
  verifier: typeof createVerifier,
  isTokenError: TokenError.prototype instanceof Error,
  version: manifest.version,
  client: typeof createClient,
  additions: [dpopFetch, createMailCodes, createPasskeys].map((each) => typeof each),
  isError: LatchkeyError.prototype instanceof Error,
  issuers: [ES256, EdDSA, PS256, RS256].map(({ issuer }: { issuer: string }) => issuer),
  keys: Object.keys(published.keys).length > 0,
  document: import.meta.resolve('latchkey/openapi.yaml').startsWith('file:'),
}));
`,
    );
    const app = readFileSync(join(project, 'app.ts'), 'utf8');
    const unused = Object.keys(manifest.exports)
      .map((name) => name.replace(/^\./, manifest.name).replace('*', 'EdDSA'))
      .filter((name) => !app.includes(`'${name}'`));
    t.same(unused, [], 'every export is imported');
    writeFileSync(join(project, 'package.json'), '{"type":"module"}');
    writeFileSync(
      join(project, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          module: 'nodenext',
          target: 'esnext',
          lib: ['esnext', 'dom'],
          types: [],
          strict: true,
          exactOptionalPropertyTypes: true,
          noUncheckedIndexedAccess: true,
          noEmit: true,
        },
        files: ['app.ts'],
      }),
    );
    const tsc = await run(resolve('node_modules/.bin/tsc'), ['-p', project]).catch(
      (error) => error,
    );
    t.equal(tsc.stdout, '');
    const [command, args] = nodeCommand(['app.ts']);
    const { stdout } = await run(command, args, { cwd: project });
    t.match(JSON.parse(stdout), {
      version: manifest.version,
      client: 'function',
      additions: ['function', 'function', 'function'],
      verifier: 'function',
      isTokenError: true,
      isError: true,
      issuers: Array.from({ length: 4 }, () => String),
      keys: true,
      document: true,
    });
    const [inner, words] = nodeCommand(['-e', "import('latchkey/dist/main.js')"]);
    await t.rejects(run(inner, words, { cwd: project }), {
      message: /ERR_PACKAGE_PATH_NOT_EXPORTED/,
    });
  });
});

t.test('nobody publishes the package by accident, and npm ci does not build it', async (t) => {
  t.equal(manifest.private, true);
  for (const name of ['prepare', 'install', 'postinstall', 'preinstall'])
    t.notOk(manifest.scripts[name], name);
});
