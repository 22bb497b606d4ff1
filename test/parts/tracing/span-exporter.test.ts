import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { SpanExporter } from '../../../src/parts/tracing/span-exporter.ts';
import { freePort } from '../../free-port.ts';
import { attributesOf, collector } from './collector.ts';

const served = {
  method: 'GET',
  route: '/livez',
  status: 200,
  duration: 1.5,
  code: undefined,
  parent: undefined,
};

function exporting(t: Test, endpoint: string, every = 3_600_000) {
  const said: string[] = [];
  const log = { warn: (line: string) => said.push(line), info: (line: string) => said.push(line) };
  const exporter = new SpanExporter({ endpoint, service: 'latchkey', headers: {}, log, every });
  t.teardown(() => exporter.close());
  return { exporter, said };
}

t.test('spans go in batches, and at the end', async (t) => {
  const { endpoint, batches, spans } = await collector(t);
  const { exporter, said } = exporting(t, endpoint);
  for (let count = 0; count < 1_300; count += 1) exporter.add(served);
  await exporter.close();
  t.same(batches, [512, 512, 276]);
  t.equal(new Set(spans.map(({ spanId }) => spanId)).size, 1_300);
  t.same(said, []);
});

t.test('a client that has gone is an error without a status', async (t) => {
  const { endpoint, spans } = await collector(t);
  const { exporter } = exporting(t, endpoint);
  exporter.add({ ...served, status: null });
  await exporter.flush();
  t.same(spans[0]?.status, { code: 2 });
  t.same(attributesOf(spans[0] as (typeof spans)[0]), {
    'http.request.method': 'GET',
    'http.route': '/livez',
    'error.type': '_OTHER',
  });
});

t.test('spans that wait go after a while', async (t) => {
  const { endpoint, spans } = await collector(t);
  const { exporter } = exporting(t, endpoint, 10);
  exporter.add(served);
  while (spans.length === 0) await sleep(10);
  t.equal(spans.length, 1);
});

t.test(
  'while the collector refuses, spans are dropped: one warning, and one line later',
  async (t) => {
    const { endpoint, spans, state } = await collector(t);
    const { exporter, said } = exporting(t, endpoint);
    state.status = 503;
    for (let count = 0; count < 3; count += 1) {
      exporter.add(served);
      await exporter.flush();
    }
    t.same(said, [
      'OTEL_EXPORTER_OTLP_ENDPOINT: it answered 503. Spans are dropped until it takes them',
    ]);
    state.status = 200;
    exporter.add(served);
    await exporter.flush();
    t.same(said.slice(1), ['OTEL_EXPORTER_OTLP_ENDPOINT: takes spans again; 3 were dropped']);
    t.equal(spans.length, 1);
  },
);

t.test('no span waits for ever, and no more than some thousand wait', async (t) => {
  const { endpoint, state, spans } = await collector(t);
  const { exporter } = exporting(t, endpoint);
  state.status = undefined;
  for (let count = 0; count < 6_000; count += 1) exporter.add(served);
  state.status = 200;
  await exporter.close();
  t.ok(spans.length <= 4_096 + 512, `${spans.length}`);

  const away = exporting(t, `http://127.0.0.1:${await freePort()}`);
  away.exporter.add(served);
  await away.exporter.close();
  t.match(away.said, [/it does not answer/]);
});

t.test('one batch at a time, however often it is told to send', async (t) => {
  const { endpoint, state } = await collector(t);
  const { exporter } = exporting(t, endpoint);
  for (let count = 0; count < 3; count += 1) exporter.add(served);
  const told = Array.from({ length: 5 }, () => {
    exporter.add(served);
    return exporter.flush();
  });
  await Promise.all(told);
  t.equal(state.asked, 2, 'the second has what came meanwhile');
});

t.test('the end does not wait for a collector again that has just refused', async (t) => {
  const { endpoint, state } = await collector(t);
  const { exporter } = exporting(t, endpoint);
  state.status = 503;
  for (let count = 0; count < 1_300; count += 1) exporter.add(served);
  await exporter.close();
  t.equal(state.asked, 1);
});
