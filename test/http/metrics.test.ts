import t from 'tap';
import { buildMetricsApp } from '../../src/http/metrics.ts';
import { newMasterSecret, newSigningKey } from '../../src/parts/keys/new-keys.ts';
import { type Described, METRICS } from '../../src/parts/metric-catalogue.ts';
import { postgres } from '../databases.ts';
import { freePort } from '../free-port.ts';
import { mailbox } from '../mailbox.ts';
import { basic, form, serviceAccount } from '../people.ts';
import { keySet, TestClock, testApp } from '../test-app.ts';

const scrape = async (service: Awaited<ReturnType<typeof testApp>>): Promise<string> => {
  const app = buildMetricsApp(service.context.metrics);
  const { statusCode, headers, payload } = await app.inject({ url: '/metrics' });
  t.equal(statusCode, 200);
  t.match(headers['content-type'], /^text\/plain; version=0\.0\.4/);
  await app.close();
  return payload;
};

t.test('requests are counted by method, route and status, never by client input', async (t) => {
  const service = await testApp(t);
  const { inject, signUp, app, as } = service;
  const { access_token } = await signUp('canary@example.com');
  await inject({ url: '/livez?canary=1' });
  await inject({ url: '/livez' });
  for (const url of ['/canary', '/canary/2', '/%zz']) await app.inject({ url });
  await as(access_token, { method: 'DELETE', url: '/v1/me/sessions/canary' });
  const text = await scrape(service);
  const line = (labels: string) => `latchkey_request_duration_seconds_count{${labels}}`;
  t.match(text, `${line('method="GET",route="/livez",status="200"')} 2\n`);
  t.match(text, `${line('method="GET",route="none",status="404"')} 2\n`);
  t.match(text, `${line('method="POST",route="/v1/register",status="201"')} 1\n`);
  t.match(text, `${line('method="DELETE",route="/v1/me/sessions/:id",status="404"')} 1\n`);
  t.notMatch(text, /canary|127\.0\.0\.1/);
  t.match(text, /^process_cpu_seconds_total /m, 'and the metrics of the process');
});

t.test('the hashes that wait are told, and whether the revocations are fresh', async (t) => {
  const service = await testApp(t, { env: { HASH_CONCURRENCY: '1' }, pace: 'real' });
  const { context, clock } = service;
  t.match(await scrape(service), /^latchkey_hash_queue_length 0$/m);
  t.match(await scrape(service), /^latchkey_revocations_fresh 1$/m);
  const { promise, resolve } = Promise.withResolvers<void>();
  const running = [1, 2, 3].map(() => context.hashQueue.run(() => promise));
  clock.advance(60_000);
  const text = await scrape(service);
  t.match(text, /^latchkey_hash_queue_length 2$/m);
  t.match(text, /^latchkey_revocations_fresh 0$/m);
  resolve();
  await Promise.all(running);
  t.match(await scrape(service), /^latchkey_hash_queue_length 0$/m);
});

t.test('mails are counted by outcome', async (t) => {
  const box = await mailbox(t);
  const service = await testApp(t, { env: { MAIL_URL: box.url } });
  await service.signUp();
  await box.next();
  await box.settled();
  t.match(await scrape(service), 'latchkey_mails_total{outcome="sent"} 1\n');
});

t.test('metrics have their own listener, and the public one does not serve them', async (t) => {
  const service = await testApp(t);
  t.equal((await service.inject({ url: '/metrics' })).statusCode, 404);
  const app = buildMetricsApp(service.context.metrics);
  t.teardown(() => app.close());
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  t.equal((await fetch(`${url}/metrics`)).status, 200);
  for (const path of ['/v1/whoami', '/livez', '/docs', '/'])
    t.equal((await fetch(url + path)).status, 404, path);
  t.equal((await fetch(`${url}/metrics`, { method: 'POST' })).status, 404);
});

/** Names, types, labels and their values in a text of Prometheus. */
function exposed(text: string) {
  const types = new Map(
    [...text.matchAll(/^# TYPE (latchkey_\w+) (\w+)$/gm)].map(([, name, type]) => [name, type]),
  );
  const series = [...text.matchAll(/^(latchkey_\w+?)(?:\{(.*)\})? \S+$/gm)].map(
    ([, name = '', labels = '']) => ({
      name: types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, ''),
      labels: Object.fromEntries(
        [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, value]) => [label, value]),
      ),
    }),
  );
  return { types, series };
}

t.test('every metric of the catalogue is told, with its labels and no others', async (t) => {
  const service = await testApp(t, {
    env: {
      DATABASE_URL: await (await postgres(t)).create(),
      REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
    },
  });
  const { refresh_token } = await service.signUp();
  await service.login();
  await service.login('eve@example.com');
  await service.refresh(refresh_token);
  const { types, series } = exposed(await scrape(service));
  const ofPrimary = ['latchkey_workers', 'latchkey_worker_starts_total'];
  const all = Object.entries<Described>(METRICS).filter(([name]) => !ofPrimary.includes(name));
  t.same([...types.keys()].sort(), all.map(([name]) => name).sort());
  for (const [name, { type, labels = {} }] of all) {
    t.equal(types.get(name), type, name);
    for (const each of series.filter((one) => one.name === name)) {
      const { le: _bound, ...own } = each.labels;
      t.same(Object.keys(own).sort(), Object.keys(labels).sort(), name);
      for (const [label, values] of Object.entries(labels))
        t.ok(values === undefined || values.includes(own[label] as string), `${name} ${label}`);
    }
  }
});

t.test('sign-ins are counted by way and result', async (t) => {
  const service = await testApp(t);
  await service.signUp();
  const signIns = async () =>
    Object.fromEntries(
      [
        ...(await scrape(service)).matchAll(
          /^latchkey_sign_ins_total\{way="(\w+)",result="(\w+)"\} (\d+)$/gm,
        ),
      ].map(([, way, result, count]) => [`${way} ${result}`, Number(count)]),
    );
  await service.login();
  for (let guess = 0; guess < 12; guess += 1)
    await service.login('ada@example.com', 'wrong wrong wrong');
  const client = await serviceAccount(service);
  const fields = { grant_type: 'client_credentials' };
  for (const secret of [client.secret, 'wrong'])
    await form(service, '/oauth/token', fields, basic({ ...client, secret }));
  // None of these is a sign-in, and the last has nothing to check.
  const wrong = basic({ ...client, secret: 'wrong' });
  const others: [string, Record<string, string>][] = [
    ['/oauth/introspect', { token: 'any' }],
    ['/oauth/revoke', { token: 'any' }],
    ['/oauth/token', { grant_type: 'refresh_token', refresh_token: 'any' }],
  ];
  for (const [url, body] of others)
    t.equal((await form(service, url, body, wrong)).statusCode, 401, url);
  const twoWays = { ...fields, client_secret: client.secret };
  t.equal((await form(service, '/oauth/token', twoWays, basic(client))).statusCode, 400);
  const counted = await signIns();
  t.match(counted, {
    'password ok': 1,
    'client_secret ok': 1,
    'client_secret refused': 1,
  });
  t.equal(Number(counted['password refused']) + Number(counted['password throttled']), 12);
  t.ok(Number(counted['password throttled']) > 0);
  t.match(
    await scrape(service),
    `latchkey_refusals_total{code="throttled"} ${counted['password throttled']}\n`,
  );
});

t.test('a key set is told by use and state, and when its last key ends', async (t) => {
  const clock = new TestClock();
  const end = Math.floor(clock.now / 1_000) + 3_600;
  const [signing, next, master] = [
    { ...newSigningKey('ES256', 0), exp: end },
    { ...newSigningKey('ES256', end - 60), exp: end + 60 },
    newMasterSecret(0),
  ];
  const service = await testApp(t, {
    clock,
    env: { SIGNING_KEYS: keySet(signing, next, master) },
  });
  const text = await scrape(service);
  t.match(text, 'latchkey_keys{use="access_tokens",state="signing"} 1\n');
  t.match(text, 'latchkey_keys{use="access_tokens",state="published"} 1\n');
  t.match(text, 'latchkey_keys{use="own_tokens",state="signing"} 1\n');
  t.match(text, `latchkey_keys_end_timestamp_seconds{use="access_tokens"} ${end + 60}\n`);
  t.notMatch(text, 'latchkey_keys_end_timestamp_seconds{use="own_tokens"}', 'it never ends');
});

t.test('failures of the database are counted by kind', async (t) => {
  const service = await testApp(t);
  const { refresh_token } = await service.signUp();
  await service.context.close();
  t.equal((await service.refresh(refresh_token)).statusCode, 503);
  t.match(await scrape(service), /^latchkey_database_errors_total\{kind="\w+"\} [1-9]/m);
});
