import { once } from 'node:events';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import Fastify from 'fastify';
import t from 'tap';
import { networkOfLetter, signalOf, sourceOf } from '../../src/http/source.ts';
import { PASSWORD, testApp } from '../test-app.ts';

t.test(
  'the source of a guess is a network: IPv4 address, IPv6 /64, the IPv4 address of a mapped one',
  async (t) => {
    const app = Fastify();
    app.get('/', async (request, reply) => sourceOf(request, reply).prefix);
    const prefixOf = async (remoteAddress: string) =>
      (await app.inject({ url: '/', remoteAddress })).payload;
    t.equal(await prefixOf('192.0.2.1'), '192.0.2.1');
    t.equal(await prefixOf('::ffff:192.0.2.1'), '192.0.2.1');
    t.equal(await prefixOf('2001:db8:1:2:3:4:5:6'), await prefixOf('2001:DB8:1:2::1'));
    t.not(await prefixOf('2001:db8:1:2::1'), await prefixOf('2001:db8:1:3::1'));
  },
);

t.test('who asks for a letter is a network: IPv4 address, IPv6 /48', async (t) => {
  const app = Fastify();
  app.get('/', async (request) => networkOfLetter(request));
  const of = async (remoteAddress: string) =>
    (await app.inject({ url: '/', remoteAddress })).payload;
  t.equal(await of('192.0.2.1'), '192.0.2.1');
  t.equal(await of('::ffff:192.0.2.1'), '192.0.2.1');
  t.equal(await of('2001:db8::1'), await of('2001:DB8:0:ffff::1'));
  t.not(await of('2001:db8:1::1'), await of('2001:db8:2::1'));
});

t.test('the signal aborts only if the client disconnects before its answer', async (t) => {
  const app = Fastify();
  t.teardown(() => app.close());
  const signals: AbortSignal[] = [];
  app.get('/', async (_request, reply) => {
    signals.push(signalOf(reply));
    return '';
  });
  app.get('/slow', async (_request, reply) => {
    const signal = signalOf(reply);
    signals.push(signal);
    await once(signal, 'abort');
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  t.equal(await (await fetch(url)).text(), '');
  await sleep(10);
  t.equal(signals[0]?.aborted, false);
  const leaving = new AbortController();
  const left = t.rejects(fetch(`${url}/slow`, { signal: leaving.signal }));
  while (signals.length < 2) await sleep(1);
  t.equal(signals[1]?.aborted, false);
  leaving.abort();
  await left;
  if (!signals[1]?.aborted) await once(signals[1] as AbortSignal, 'abort');
  t.equal(signals[1]?.aborted, true);
});

t.test(
  'clients that disconnect while they wait to sign in free their places in the queue',
  async (t) => {
    const { app, context, signUp, login } = await testApp(t, {
      env: { HASH_CONCURRENCY: '1' },
      pace: 'real',
    });
    await signUp();
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const holding = context.hashQueue.run(() => held);
    const clients = Array.from({ length: 50 }, (_, index) => {
      const client = request(`${url}/v1/login`, {
        method: 'POST',
        agent: false,
        headers: { 'content-type': 'application/json' },
      });
      client.on('error', () => {});
      client.end(JSON.stringify({ email: `user${index}@example.com`, password: PASSWORD }));
      return client;
    });
    while (context.hashQueue.length < 50) await sleep(5);
    for (const client of clients) client.destroy();
    while (context.hashQueue.length > 0) await sleep(5);
    let hashed = 0;
    const { check } = context.passwords;
    context.passwords.check = function counted(...input) {
      hashed += 1;
      return check.apply(this, input);
    };
    release();
    await holding;
    t.equal((await login()).statusCode, 200, 'whoever stays is served at once');
    t.equal(hashed, 1, 'and no password of those who went is looked at');
    for (let index = 0; index < 50; index += 10) {
      const answer = await login(`user${index}@example.com`);
      t.equal(answer.statusCode, 401, 'nor does any of them count as a guess');
    }
  },
);
