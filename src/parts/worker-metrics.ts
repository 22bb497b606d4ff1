import { setTimeout as sleep } from 'node:timers/promises';
import { AggregatorRegistry, type Registry } from 'prom-client';

/** The metrics of one process, as `prom-client` exports them. */
export type Snapshot = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;

/** How long to wait for a worker (ms). */
const PATIENCE = 1_000;

const sumOf = (snapshots: Snapshot[]) =>
  AggregatorRegistry.aggregate(
    snapshots as unknown as Parameters<typeof AggregatorRegistry.aggregate>[0],
  );

/** Counters only rise: those of a worker that has ended are kept. `prom-client` declares the type wrongly. */
const isCounted = ({ type }: Snapshot[number]): boolean =>
  ['counter', 'histogram'].includes(type as unknown as string);

/**
 * The metrics of all workers and of the primary as one. How a metric is combined stands at the metric: by default the
 * sum. No counter ever falls, because Prometheus would take that for a restart and count everything again: a worker that
 * does not answer counts as it last did, and the counts of one that has ended stay.
 */
export class WorkerMetrics {
  readonly #own: Registry;
  /** The last answer of each worker. */
  readonly #last = new Map<number, Snapshot>();
  readonly #awaited = new Map<number, () => void>();
  #ended: Promise<Snapshot> = Promise.resolve([]);
  #scraping: Promise<string> | undefined;

  /** `own`: the metrics of the primary. */
  constructor(own: Registry) {
    this.#own = own;
  }

  get contentType(): string {
    return this.#own.contentType;
  }

  /** The answer of a worker. */
  learn(worker: number, snapshot: Snapshot): void {
    this.#last.set(worker, snapshot);
    this.#awaited.get(worker)?.();
  }

  forget(worker: number): void {
    this.#awaited.get(worker)?.();
    const last = this.#last.get(worker)?.filter(isCounted);
    this.#last.delete(worker);
    if (last) this.#ended = this.#ended.then((ended) => sumOf([ended, last]).getMetricsAsJSON());
  }

  /** As text. `ask` asks each worker to answer with `learn`. Scrapes at the same time get the same text. */
  metrics(workers: { id: number; ask(): void }[]): Promise<string> {
    this.#scraping ??= this.#scrape(workers).finally(() => {
      this.#scraping = undefined;
    });
    return this.#scraping;
  }

  async #scrape(workers: { id: number; ask(): void }[]): Promise<string> {
    const answers = workers.map(({ id, ask }) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#awaited.set(id, resolve);
      ask();
      return promise;
    });
    await Promise.race([Promise.all(answers), sleep(PATIENCE, undefined, { ref: false })]);
    const own = await this.#own.getMetricsAsJSON();
    // Together, so that a worker that ends now is in one of them.
    const [ended, last] = [this.#ended, [...this.#last.values()]];
    return sumOf([own, await ended, ...last]).metrics();
  }
}
