import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { ADMIN, generatedClient, serviceWithAdmin } from './generated-client.ts';
import { followed } from './recipe.ts';
import { walk } from './walk.ts';

const run = promisify(execFile);

/** The generators that `npm test` does not have: two need TypeScript 5, and together they are large. */
const home = 'node_modules/.cache/latchkey-generators';
const packages = join(home, 'node_modules');

mkdirSync(home, { recursive: true });
for (const file of ['.npmrc', 'package.json', 'package-lock.json'])
  copyFileSync(join(import.meta.dirname, file), join(home, file));
await run('npm', ['ci'], { cwd: home });
// The recipes import `latchkey/client` from the built package.
await run('npm', ['run', 'prepack']);

t.test('openapi-typescript and openapi-fetch', async (t) => {
  const url = await serviceWithAdmin(t);
  const { typedClient, project } = await generatedClient(
    t,
    { heading: 'openapi-typescript', adapter: 'openapi-fetch', packages },
    url,
  );
  await walk(t, typedClient(url), { email: 'ada@example.com', admin: ADMIN });

  const recipe = await import(pathToFileURL(join(project, 'dist/api.js')).href);
  await recipe.client.login(ADMIN);
  const { data } = await recipe.api.GET('/v1/me/sessions');
  t.ok(data.sessions.length > 0, 'with the access token of the browser module');
  recipe.client.close();
});

t.test('@hey-api/openapi-ts', async (t) => {
  const url = await serviceWithAdmin(t);
  const { typedClient, project } = await generatedClient(
    t,
    {
      heading: '@hey-api/openapi-ts',
      adapter: 'hey-api',
      packages,
      // Its own files do not compile under exactOptionalPropertyTypes (hey-api/hey-api#2363).
      knownFaults: /^latchkey\/(client|core)\/.*exactOptionalPropertyTypes/,
    },
    url,
  );
  await walk(t, typedClient(url), { email: 'ada@example.com', admin: ADMIN });

  const recipe = await import(pathToFileURL(join(project, 'dist/api.js')).href);
  await recipe.signedIn.login(ADMIN);
  const { data } = await recipe.listSessions();
  t.ok(data.sessions.length > 0, 'with the access token of the browser module');
  recipe.signedIn.close();
});

const has = (command: string, ...args: string[]) =>
  run(command, args).then(
    () => true,
    () => false,
  );

t.test('quicktype', async (t) => {
  const url = await serviceWithAdmin(t);
  const project = await followed(t, { heading: 'quicktype', packages, url });

  // Debian's interpreter, which knows Debian's packages.
  if (await has('/usr/bin/python3', '-c', 'import dateutil')) {
    for (const file of ['client.py', 'walk.py'])
      copyFileSync(join('test/generators/python', file), join(project, file));
    const args = ['walk.py', url, ADMIN.email, ADMIN.password];
    const { stdout } = await run('/usr/bin/python3', args, { cwd: project });
    t.equal(stdout, 'walked\n', 'Python');
  } else t.comment('python3-dateutil is not installed: the Python client was not tried');

  if (await has('java', '-version')) {
    const compiler = resolve(packages, 'kotlin-compiler');
    const java = ['-cp', join(compiler, 'lib/*'), 'org.jetbrains.kotlin.cli.jvm.K2JVMCompiler'];
    const options = ['-kotlin-home', compiler, '-Werror', '-d', 'classes'];
    await run('java', [...java, ...options, 'Latchkey.kt'], { cwd: project });
    t.pass('Kotlin compiles');
  } else t.comment('Java is not installed: the Kotlin types were not compiled');

  const swift = readFileSync(join(project, 'Latchkey.swift'), 'utf8');
  t.match(swift, /struct Tokens: Codable/, 'Swift, which Debian 12 cannot compile');
});
