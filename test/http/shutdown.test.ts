import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { folder } from '../databases.ts';
import { endedUnderLoad } from '../faults/departure.ts';
import { mailbox } from '../mailbox.ts';
import { serve } from '../server.ts';
import { PASSWORD } from '../test-app.ts';

type Server = Awaited<ReturnType<typeof serve>>;

const WAYS = [
  {},
  { env: { WORKERS: '2' } },
  { tls: true },
  { tls: true, env: { WORKERS: '2' } },
] satisfies Partial<Parameters<typeof endedUnderLoad>[1]>[];

t.test('on SIGTERM the clients of a node lose nothing', async (t) => {
  for (const way of WAYS) {
    const name = JSON.stringify(way);
    const seen = await endedUnderLoad(t, { cwd: folder(t), ...way });
    const { strangers, behind, direct, longPoll, ended } = seen;
    const clients = [...behind, ...direct];
    t.same(
      [...clients, longPoll].flatMap(({ faults }) => faults),
      [],
      `${name}: no connection was reset or refused`,
    );
    t.ok(clients.every(({ answers }) => answers > 2));
    const told = strangers.map(({ status, connection }) => [status, connection]);
    t.same(told[0], [503, 'keep-alive'], 'balancers are told at once');
    t.same(told[1], [200, 'keep-alive'], 'and all others are answered as before');
    t.ok(
      direct.every(({ wasTold }) => wasTold),
      'then every client is told to go',
    );
    t.notOk(
      behind.some(({ wasTold }) => wasTold),
      'of which a balancer that asks knew before',
    );
    t.match(longPoll, { answers: 1, wasTold: true }, 'an answer that waits does so until then');
    t.match(ended, { code: 0, signal: null, stderr: '' });
  }
});

/** A request whose body does not come. */
async function halfARequest(server: Server) {
  const socket = connect(Number(server.port), '127.0.0.1');
  const closed = once(socket, 'close');
  const seen = { bytes: '' };
  socket.on('error', () => {}).on('data', (chunk) => (seen.bytes += chunk));
  socket.write(
    'POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
  );
  await fetch(`${server.url}/livez`);
  return { socket, closed, seen };
}

t.test('an idle connection is ended, not reset, once it has had its time', async (t) => {
  const server = await serve(t, {
    cwd: folder(t),
    env: { SHUTDOWN_DELAY: '300ms' },
    isMeasured: true,
  });
  const socket = connect(Number(server.port), '127.0.0.1');
  const faults: Error[] = [];
  socket.on('error', (error) => faults.push(error)).resume();
  socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(socket, 'data');
  const end = once(socket, 'end');
  server.child.kill('SIGTERM');
  await end;
  t.same(faults, []);
  t.match(await server.ended, { code: 0, stderr: '' });
});

t.test(
  'a request that does not come to its end holds the process up for a while only',
  async (t) => {
    const server = await serve(t, { cwd: folder(t), isMeasured: true });
    const { closed, seen } = await halfARequest(server);
    server.child.kill('SIGTERM');
    await closed;
    t.equal(seen.bytes, '');
    t.match(await server.ended, { code: 0, stderr: '' });
  },
);

t.test('a second signal waits for no balancer, and a third for nobody', async (t) => {
  const server = await serve(t, {
    cwd: folder(t),
    env: { SHUTDOWN_DELAY: '10m' },
    isMeasured: true,
  });
  const { closed } = await halfARequest(server);
  server.child.kill('SIGTERM');
  await server.line(/SIGTERM: shutting down"/);
  t.equal((await fetch(`${server.url}/livez`)).status, 200);
  server.child.kill('SIGINT');
  await server.line(/SIGINT: shutting down faster/);
  // The listener closes in the next turn.
  const asked = () =>
    fetch(`${server.url}/livez`, { headers: { connection: 'close' } }).then(
      ({ status }) => status,
      () => 'refused',
    );
  let last = await asked();
  for (let waited = 0; last === 200 && waited < 10_000; waited += 20) {
    await sleep(20);
    last = await asked();
  }
  t.equal(last, 'refused');
  server.child.kill('SIGTERM');
  t.match(await server.ended, { code: 1, signal: null, stderr: '' });
  await closed;
});

t.test('while it leaves, a node still learns what is revoked, and shows its metrics', async (t) => {
  const cwd = folder(t);
  const env = { ISSUER: 'http://localhost:3000', SHUTDOWN_DELAY: '1m' };
  const [leaving, other] = [await serve(t, { cwd, env }), await serve(t, { cwd, env })];
  const [, metrics = ''] = /metrics {3}(\S+)"/.exec(await leaving.line(/metrics {3}/)) ?? [];
  const { access_token, refresh_token } = await leaving.tokens('/v1/register', {
    email: 'ada@example.com',
    password: PASSWORD,
  });
  leaving.child.kill('SIGTERM');
  await leaving.line(/SIGTERM: shutting down/);
  t.equal((await leaving.whoami(access_token)).status, 200);
  t.equal((await other.post('/v1/logout', { refresh_token })).status, 204);
  let status = 200;
  for (let waited = 0; status === 200 && waited < 10_000; waited += 100) {
    await sleep(100);
    ({ status } = await leaving.whoami(access_token));
  }
  t.equal(status, 401);
  t.equal((await fetch(metrics)).status, 200);
  leaving.child.kill('SIGTERM');
  t.match(await leaving.ended, { code: 0, stderr: '' });
});

t.test('a mail that waits when the signal comes is sent before the process ends', async (t) => {
  const box = await mailbox(t);
  const env = { MAIL_URL: box.url, SIGN_UP: 'verified' };
  const server = await serve(t, { cwd: folder(t), env });
  t.equal((await server.post('/v1/register', { email: 'ada@example.com' })).status, 202);
  server.child.kill('SIGTERM');
  t.match(await server.ended, { code: 0, stderr: '' });
  t.same(box.mails[0]?.recipients, ['ada@example.com']);
});

t.test('a host of two addresses has one listener, which is waited for', async (t) => {
  const server = await serve(t, { cwd: folder(t), env: { HOST: 'localhost' } });
  t.equal((await fetch(`${server.url}/livez`)).status, 200);
  t.equal(server.stdout.filter((line) => line.includes('listens on')).length, 1);
  server.child.kill('SIGTERM');
  t.match(await server.ended, { code: 0, stderr: '' });
});
