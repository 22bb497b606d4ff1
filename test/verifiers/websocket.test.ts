import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { WebSocket } from 'ws';
import { folder } from '../databases.ts';
import { freePort } from '../free-port.ts';
import { signedIn } from '../people.ts';
import { badTokens, boundToken, issuing, type Trust } from './issuer.ts';

const page = readFileSync('.github/VERIFYING.md', 'utf8');
const recipe = (name: string) => {
  const [text] = new RegExp(`^// ${name}\\n[\\s\\S]*?(?=^\`\`\`$)`, 'm').exec(page) ?? [];
  return `${text}`;
};

/** The recipe of the page, as it is. Answers its address. */
async function sockets(t: Test, { issuer, audience }: Trust): Promise<string> {
  const project = folder(t);
  writeFileSync(join(project, 'sockets.mjs'), recipe('sockets.mjs'));
  const latchkey = join(project, 'node_modules', 'latchkey');
  mkdirSync(latchkey, { recursive: true });
  writeFileSync(
    join(latchkey, 'package.json'),
    '{"type":"module","exports":{"./verify":"./verify.js"}}',
  );
  copyFileSync('src/clients/verify.js', join(latchkey, 'verify.js'));
  symlinkSync(resolve('node_modules/ws'), join(project, 'node_modules', 'ws'));
  const port = await freePort();
  const url = `ws://127.0.0.1:${port}`;
  const server = spawn(process.execPath, ['sockets.mjs'], {
    cwd: project,
    env: { PORT: String(port), ISSUER: issuer, AUDIENCE: audience },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  t.teardown(async () => {
    if (server.exitCode !== null) return;
    server.kill('SIGTERM');
    await once(server, 'exit');
  });
  for (let waited = 0; waited < 20_000 && server.exitCode === null; waited += 50) {
    const up = await fetch(url.replace('ws', 'http')).catch(() => undefined);
    if (up) break;
    await sleep(50);
  }
  return url;
}

/** The status of a refused handshake, or the open connection. */
const connected = (t: Test, url: string, protocols: string[]) =>
  new Promise<number | WebSocket>((resolve, reject) => {
    const client = new WebSocket(url, protocols);
    t.teardown(() => client.terminate());
    client.on('open', () => resolve(client));
    client.on('unexpected-response', (_request, { statusCode = 0 }) => resolve(statusCode));
    client.on('error', reject);
  });

t.test('a connection opens with a valid token alone, and ends with it', async (t) => {
  const { trust, ada, forger, now, service } = await issuing(t, 'ES256');
  const url = await sockets(t, trust);

  for (const [name, token] of Object.entries(badTokens(forger, ada, now)))
    t.equal(await connected(t, url, ['bearer', token]), 401, name);
  t.equal(await connected(t, url, ['bearer', boundToken(forger)]), 401, 'bound to a key');
  for (const protocols of [[], ['bearer'], [ada.access_token], ['other', ada.access_token]])
    t.equal(await connected(t, url, protocols), 401, `${protocols.length} subprotocols, no token`);

  const exp = Math.floor(Date.now() / 1_000) + 4;
  const short = forger.withClaims({ exp });
  const open = async (token: string) => {
    const client = await connected(t, url, ['bearer', token]);
    if (typeof client === 'number') throw new Error(`refused: ${client}`);
    const heard: string[] = [];
    client.on('message', (data) => heard.push(String(data)));
    const closed = once(client, 'close').then(([code, reason]) => ({
      code,
      reason: String(reason),
      late: Date.now() >= exp * 1_000 - 1,
    }));
    client.send('hello');
    await once(client, 'message');
    return { client, heard, closed };
  };
  const lasting = await open(ada.access_token);
  const polite = await open(short);
  const deaf = await open(short);
  t.equal(polite.client.protocol, 'bearer', 'the token is not repeated');
  t.same(polite.heard, [`${ada.id} says hello`]);

  // It does not read, so it does not answer the close.
  deaf.client.pause();
  t.same(await polite.closed, { code: 3000, reason: 'token_expired', late: true });
  deaf.client.send('after the end');
  lasting.client.send('still here');
  await once(lasting.client, 'message');
  t.equal(lasting.heard.length, 2, 'another token, another end');
  deaf.client.resume();
  t.equal((await deaf.closed).code, 3000);
  t.same(deaf.heard, [`${ada.id} says hello`], 'nothing is answered after the end');

  const bob = await signedIn(service, 'bob@example.com');
  const other = await open(bob.access_token);
  await service.as(bob.access_token, { method: 'POST', url: '/v1/logout' });
  t.match(await other.closed, { code: 3000, reason: 'token_revoked' });
  lasting.client.send('still here');
  await once(lasting.client, 'message');
  t.equal(await connected(t, url, ['bearer', bob.access_token]), 401, 'a revoked token');
});
