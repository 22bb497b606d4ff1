import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { documents } from '../src/commands/documents.ts';
import { nodeCommand } from './child.ts';
import { folder } from './databases.ts';
import { clientKey, proofOf } from './dpop.ts';
import {
  blocksOf,
  namesOf,
  PORT_SHOWN,
  patternOf,
  startServer,
  walkThrough,
} from './readme-walk.ts';

const run = promisify(execFile);

for (const base of ['', '/auth'])
  t.test(
    `a newcomer who pastes the walk-through sees the answers that it shows, at ${base}/`,
    async (t) => walkThrough(t, await startServer(t, { base }), base),
  );

t.test('the first screen of the README signs a newcomer up', async (t) => {
  const [command, answer, ...more] = blocksOf('README.md', 'Start');
  t.same(more, [], 'one command and its answer');
  const firstScreen = readFileSync('README.md', 'utf8').split('\n').slice(0, 45).join('\n');
  t.ok(firstScreen.includes(`${answer?.text}`), 'without scrolling');

  const issuer = await startServer(t);
  const script = `${command?.text}`.replaceAll(PORT_SHOWN, issuer);
  const { stdout } = await run('sh', ['-c', script], {
    env: { PATH: process.env['PATH'], NO_PROXY: 'localhost' },
  });
  t.match(JSON.parse(stdout), patternOf(`${answer?.text}`));
  t.same(namesOf(JSON.parse(stdout)), namesOf(JSON.parse(`${answer?.text}`)), 'the same members');
});

t.test('the recipe with fast-check runs against the service, and finds a fault', async (t) => {
  const issuer = await startServer(t);
  const project = folder(t);
  const [recipe] = blocksOf('.github/CHECKING.md', 'With fast-check');
  writeFileSync(join(project, 'contract.mjs'), recipe?.text ?? '');
  symlinkSync(resolve('node_modules'), join(project, 'node_modules'));
  const contract = (env: Record<string, string>) =>
    run(process.execPath, ['contract.mjs'], { cwd: project, env });
  const { stdout } = await contract({ ISSUER: issuer });
  t.match(stdout, 'no request was answered wrongly');
  const wrong = createServer((_request, answer) => answer.end('{}')).listen(0, '127.0.0.1');
  t.teardown(() => wrong.close());
  await once(wrong, 'listening');
  const { port } = wrong.address() as AddressInfo;
  await t.rejects(contract({ ISSUER: `http://127.0.0.1:${port}` }), {
    code: 1,
    stderr: /Property failed[\s\S]*answered 200/,
  });
});

t.test('a service with the key set alone takes access tokens and nothing else', async (t) => {
  const issuer = await startServer(t);
  const project = folder(t);
  const [example] = blocksOf('.github/VERIFYING.md', 'In Node');
  writeFileSync(join(project, 'verify.mjs'), example?.text ?? '');
  symlinkSync(resolve('node_modules'), join(project, 'node_modules'));
  const verify = (token: string, audience = issuer) =>
    run(process.execPath, ['verify.mjs', token], {
      cwd: project,
      env: { ISSUER: issuer, AUDIENCE: audience },
    });

  const answer = await fetch(`${issuer}/v1/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'ada@example.com', password: 'correct horse battery staple' }),
  });
  const tokens = (await answer.json()) as Record<string, string>;
  const token = tokens['access_token'] as string;
  const [header, claims, signature] = token.split('.') as [string, string, string];
  const { sub } = JSON.parse(Buffer.from(claims, 'base64url').toString());

  const { stdout } = await verify(token);
  t.match(stdout, sub);

  const htu = `${issuer}/v1/login`;
  const signIn = await fetch(htu, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      dpop: await proofOf(await clientKey(), Date.now(), { method: 'POST', htu }),
    },
    body: JSON.stringify({ email: 'ada@example.com', password: 'correct horse battery staple' }),
  });
  const bound = (await signIn.json()) as Record<string, string>;
  t.equal(bound['token_type'], 'DPoP');

  const forged = Buffer.from(JSON.stringify({ ...JSON.parse(atob(claims)), roles: ['admin'] }));
  const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt' })).toString('base64url');
  const refused = {
    'a token that is bound to a key': bound['access_token'] as string,
    'a refresh token': tokens['refresh_token'] as string,
    'a device token': tokens['device_token'] as string,
    'claims of a stranger': `${header}.${forged.toString('base64url')}.${signature}`,
    'no algorithm': `${none}.${claims}.`,
  };
  for (const [name, other] of Object.entries(refused))
    await t.rejects(verify(other), { code: 1 }, name);
  await t.rejects(verify(token, 'https://other.example.com'), { code: 1 }, 'another audience');
});

t.test('the recipe that decodes a token shows its header and its claims', async (t) => {
  const [recipe] = blocksOf('.github/CONTRIBUTING.md', 'Look inside');
  const parts = ['{"typ":"at+jwt"}', '{"sub":"Ådå"}'];
  const access = [...parts.map((part) => Buffer.from(part).toString('base64url')), 'x'].join('.');
  const env = { PATH: `${dirname(process.execPath)}:${process.env['PATH']}`, access };
  const { stdout } = await run('sh', ['-c', `${recipe?.text}`], { env });
  t.same(stdout.trimEnd().split('\n'), parts);
});

t.test('the recipe for production keys makes them where no commit takes them', async (t) => {
  const operating = '.github/OPERATING.md';
  const recipe = blocksOf(operating, 'Keys').find(({ text }) => text.includes('npm run keys'));
  const home = folder(t);
  const command = nodeCommand(['src/commands/latchkey.ts', 'keys']).flat().join(' ');
  await run('sh', ['-c', `${recipe?.text.replace('npm run keys --', command)}`], {
    env: { PATH: process.env['PATH'], HOME: home },
  });
  const [made, ...others] = readdirSync(home);
  t.same(others, []);
  const path = join(home, String(made), 'keys.json');
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.equal(JSON.parse(readFileSync(path, 'utf8')).keys.length, 2);
  const lines = readFileSync(operating, 'utf8').split('\n');
  const docker = lines.find((line) => line.startsWith('docker run')) ?? '';
  t.match(docker, `-v "$HOME/${made}":`, 'and the image gets the same folder');
  t.match(readFileSync('.gitignore', 'utf8'), /^keys\.json$/m, 'nor are those of an older recipe');
});

t.test(
  'the tables of routes and of variables, and openapi.yaml, are those of the code',
  async (t) => {
    const made = await documents();
    for (const { path, text } of made) t.equal(readFileSync(path, 'utf8'), text, path);
    const tables = made.flatMap(({ text }) => text.match(/(?<=^<!-- )\w+(?= -->\n\| \w)/gm) ?? []);
    t.same(tables, ['routes', 'variables', 'metrics'], 'each table has its place');
  },
);

t.test('npx passes on what the README tells people to ask latchkey for', async (t) => {
  const shown = readFileSync('README.md', 'utf8').match(/npx --no latchkey \S+/g) ?? [];
  t.ok(shown.length > 0);
  t.same(
    shown.filter((command) => /latchkey -/.test(command)),
    [],
    'an option after the name would be one of npx',
  );
});
