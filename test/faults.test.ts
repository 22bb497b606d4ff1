import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { folder } from './databases.ts';
import { freePort } from './free-port.ts';
import { launch, serve } from './server.ts';

const isAlive = async (port: string | number) => {
  const answer = await fetch(`http://127.0.0.1:${port}/livez`).catch(() => undefined);
  return answer?.status === 200;
};

async function until(what: () => Promise<boolean> | boolean): Promise<boolean> {
  for (let waited = 0; waited < 15_000; waited += 50) {
    if (await what()) return true;
    await sleep(50);
  }
  return false;
}

/** A node whose log is not read by the test. */
async function silent(t: Test, options: { shell: string; preload?: string }) {
  const port = String(await freePort());
  const launched = launch(t, {
    ...options,
    isMeasured: true,
    cwd: folder(t),
    env: {
      PORT: port,
      METRICS_PORT: '0',
      DATABASE_URL: 'file::memory:',
      RATE_LIMIT: 'off',
    },
  });
  t.ok(await until(() => isAlive(port)), 'it starts');
  return { ...launched, port };
}

/** Sends bytes and resets the connection, after several delays. */
async function resetAfter(port: number, bytes: string): Promise<void> {
  for (let round = 0; round < 30; round += 1) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(bytes);
    await sleep(round % 3);
    socket.resetAndDestroy();
  }
}

t.test('a client that resets its connection at any time ends no process', async (t) => {
  const metrics = await freePort();
  const server = await serve(t, { cwd: folder(t), env: { METRICS_PORT: `${metrics}` } });
  for (const port of [Number(server.port), metrics]) {
    for (const bytes of [
      'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      'no HTTP\r\n\r\n',
      'GET /openapi.yaml HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(20),
      'POST /v1/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
    ]) {
      await resetAfter(port, bytes);
    }
  }
  t.ok(await isAlive(server.port));
  server.child.kill('SIGTERM');
  t.match(await server.ended, { code: 0, stderr: '' });
});

t.test('more clients than file descriptors end no process', async (t) => {
  const { port, child } = await silent(t, { shell: 'ulimit -n 60; exec "$@"' });
  const sockets = Array.from({ length: 200 }, () =>
    connect(Number(port), '127.0.0.1').on('error', () => {}),
  );
  await sleep(500);
  for (const socket of sockets) socket.destroy();
  t.ok(await until(() => isAlive(port)));
  t.equal(child.exitCode, null);
});

t.test('a log whose reader has ended ends no process', async (t) => {
  const { port, child, ended } = await silent(t, { shell: 'exec "$@"' });
  child.stdout.destroy();
  for (let asked = 0; asked < 20; asked += 1) t.ok(await isAlive(port));
  child.kill('SIGTERM');
  t.match(await ended, { code: 0 });
});

t.test('a log on a full disk ends no process, and does not delay the shutdown', async (t) => {
  const { port, child, ended } = await silent(t, { shell: 'exec "$@" > /dev/full' });
  t.ok(await isAlive(port));
  child.kill('SIGTERM');
  const { code, stderr } = await ended;
  t.equal(code, 0);
  t.equal(stderr, 'Cannot write the log, lines are being lost: ENOSPC\n', 'logged once');
});

t.test('a log on a closed terminal ends no process', async (t) => {
  const { port } = await silent(t, {
    shell: 'exec "$@" > /dev/full',
    preload: 'process.stdout.isTTY = true',
  });
  for (let asked = 0; asked < 20; asked += 1) t.ok(await isAlive(port));
});

t.test('a log continues when its disk has space again, to its last line', async (t) => {
  const cwd = folder(t);
  const log = join(cwd, 'log');
  // The lowest free descriptor is the one that was closed.
  const preload = `
    import { closeSync, openSync } from 'node:fs';
    let isFull = false;
    process.on('SIGWINCH', () => {
      isFull = !isFull;
      closeSync(1);
      openSync(isFull ? '/dev/full' : ${JSON.stringify(log)}, 'a');
    });`;
  const server = await serve(t, { cwd, preload, isMeasured: true });
  const asks = async () => t.ok(await isAlive(server.port));
  server.child.kill('SIGWINCH');
  const fails = async () => {
    await asks();
    return server.stderr() !== '';
  };
  t.ok(await until(fails));
  server.child.kill('SIGWINCH');
  const goesOn = async () => {
    await asks();
    return existsSync(log) && readFileSync(log, 'utf8').includes('/livez');
  };
  t.ok(await until(goesOn));
  server.child.kill('SIGTERM');
  t.match(await server.ended, {
    code: 0,
    // EBADF: a line between close and open.
    stderr: /^(Cannot write the log, lines are being lost: (ENOSPC|EBADF)\n)+$/,
  });
  t.match(readFileSync(log, 'utf8'), /SIGTERM: shutting down/);
});

t.test('an unhandled rejection is logged, and other requests are served', async (t) => {
  const preload = 'process.on("SIGWINCH", () => void Promise.reject(new Error("unforeseen")))';
  const server = await serve(t, { cwd: folder(t), preload, isMeasured: true });
  for (let round = 0; round < 3; round += 1) server.child.kill('SIGWINCH');
  t.match(await server.line(/unhandled rejection/), /"message":"unforeseen"/);
  t.ok(await isAlive(server.port));
  server.child.kill('SIGTERM');
  t.match(await server.ended, { code: 0 });
});

t.test('a mail server that breaks off at any step ends no process', async (t) => {
  const greeting: Record<string, string> = {
    EHLO: '250 mail',
    MAIL: '250 ok',
    RCPT: '250 ok',
    DATA: '354 go on',
  };
  /** The steps at which the next connections break off. */
  let breakingAt = '';
  let broken = 0;
  let sent = 0;
  const smtp = createServer((socket) => {
    const end = () => {
      broken += 1;
      if (broken % 2) socket.resetAndDestroy();
      else socket.end();
    };
    socket.on('error', () => {});
    socket.write('220 mail\r\n');
    if (breakingAt === 'greeting') end();
    let text: string | undefined;
    socket.on('data', (bytes) => {
      const word = bytes.toString().slice(0, 4);
      if (text !== undefined) {
        text += bytes;
        if (!text.endsWith('\r\n.\r\n')) return;
        text = undefined;
        if (breakingAt === 'text') return end();
        sent += 1;
        socket.write('250 sent\r\n');
        // It is then idle in the pool.
        if (breakingAt === 'idle') setTimeout(end, 20);
        return;
      }
      if (breakingAt === word) return end();
      if (word === 'DATA') text = '';
      socket.write(`${greeting[word] ?? '250 ok'}\r\n`);
    });
  });
  smtp.listen(0, '127.0.0.1');
  await once(smtp, 'listening');
  t.teardown(() => smtp.close());
  const address = smtp.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const server = await serve(t, {
    cwd: folder(t),
    env: { MAIL_URL: `smtp://127.0.0.1:${port}`, SIGN_UP: 'verified' },
  });
  for (const place of ['greeting', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'text', 'idle', 'idle']) {
    breakingAt = place;
    const before = broken;
    const answer = await server.post('/v1/register', { email: `${place}@example.com` });
    t.equal(answer.status, 202, place);
    t.ok(await until(() => broken > before), `${place}: it broke off`);
  }
  breakingAt = '';
  t.ok(await until(() => sent >= 6), 'each letter is sent in the end');
  t.ok(await isAlive(server.port));
  t.notMatch(server.stdout.join('\n'), /unhandled rejection/);
});
