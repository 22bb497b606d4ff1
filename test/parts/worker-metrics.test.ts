import { Counter, Gauge, Registry } from 'prom-client';
import t from 'tap';
import { buildRegistry } from '../../src/parts/metrics.ts';
import { type Snapshot, WorkerMetrics } from '../../src/parts/worker-metrics.ts';

/** What a worker reports. */
async function snapshotOf({ requests, fresh }: { requests: number; fresh: number }) {
  const registers = [new Registry()];
  new Counter({ name: 'requests', help: 'r', registers }).inc(requests);
  new Gauge({ name: 'fresh', help: 'f', aggregator: 'min', registers }).set(fresh);
  return JSON.parse(JSON.stringify(await registers[0]?.getMetricsAsJSON())) as Snapshot;
}

t.test('the metrics of the workers are added up, and no counter falls', async (t) => {
  const metrics = new WorkerMetrics(buildRegistry());
  const answers = new Map([
    [1, await snapshotOf({ requests: 5, fresh: 1 })],
    [2, await snapshotOf({ requests: 7, fresh: 0 })],
  ]);
  const scrape = (...ids: number[]) =>
    metrics.metrics(
      ids.map((id) => ({ id, ask: () => metrics.learn(id, answers.get(id) as Snapshot) })),
    );
  const both = await scrape(1, 2);
  t.match(both, /^requests 12$/m);
  t.match(both, /^fresh 0$/m, 'as bad as the worst');
  t.match(both, /^process_start_time_seconds \d+/m, 'and those of the primary');

  metrics.forget(2);
  const one = await scrape(1);
  t.match(one, /^requests 12$/m, 'what a worker counted stays');
  t.match(one, /^fresh 1$/m, 'what it was does not');

  metrics.forget(9);
  // The wait for a worker does not keep a process alive.
  const alive = setInterval(() => {}, 1_000);
  const silent = await metrics.metrics([{ id: 1, ask: () => {} }]);
  clearInterval(alive);
  t.match(silent, /^requests 12$/m, 'one that does not answer counts as it last did');

  const dying = metrics.metrics([{ id: 1, ask: () => metrics.forget(1) }]);
  t.match(await dying, /^requests 12$/m, 'nor does one that ends in the middle');
});
