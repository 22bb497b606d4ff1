import t from 'tap';
import { buildMetricsApp } from '../../src/http/metrics.ts';
import { mailbox } from '../mailbox.ts';
import { testApp } from '../test-app.ts';

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
