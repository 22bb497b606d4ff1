import { METRICS } from './metric-catalogue.ts';

/** Seconds. */
const BOUNDS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5];

interface Labels {
  method: string;
  /** The pattern; undefined if no route matches the path. */
  route: string | undefined;
  status: number;
}

interface Series {
  labels: { method: string; route: string; status: number };
  /** How many durations fell into each bucket; the last is for those above all bounds. Not cumulative. */
  counts: number[];
  sum: number;
}

const NAME = 'latchkey_request_duration_seconds';

/**
 * A histogram for `prom-client`'s registry. Every request is observed, and `prom-client`'s own histogram checks and
 * hashes the labels each time; this one finds the series of a route and status with two look-ups.
 */
export class RequestDurations {
  readonly name = NAME;
  readonly #series = new Map<string | undefined, Map<string, Series>>();

  /** `duration` in seconds. */
  observe(labels: Labels, duration: number): void {
    const series = this.#seriesOf(labels);
    let bucket = 0;
    while (bucket < BOUNDS.length && duration > (BOUNDS[bucket] as number)) bucket += 1;
    series.counts[bucket] = (series.counts[bucket] as number) + 1;
    series.sum += duration;
  }

  #seriesOf({ method, route, status }: Labels): Series {
    let ofRoute = this.#series.get(route);
    if (ofRoute === undefined) {
      ofRoute = new Map();
      this.#series.set(route, ofRoute);
    }
    const key = `${status}${method}`;
    let series = ofRoute.get(key);
    if (series === undefined) {
      const labels = { method, route: route ?? 'none', status };
      series = { labels, counts: new Array(BOUNDS.length + 1).fill(0), sum: 0 };
      ofRoute.set(key, series);
    }
    return series;
  }

  /** In the registry's form. */
  async get() {
    const all = [...this.#series.values()].flatMap((ofRoute) => [...ofRoute.values()]);
    const values = all.flatMap(({ labels, counts, sum }) => {
      let count = 0;
      const buckets = [...BOUNDS, '+Inf'].map((le, index) => {
        count += counts[index] as number;
        return { metricName: `${NAME}_bucket`, labels: { le, ...labels }, value: count };
      });
      return [
        ...buckets,
        { metricName: `${NAME}_sum`, labels, value: sum },
        { metricName: `${NAME}_count`, labels, value: count },
      ];
    });
    const { help, type } = METRICS[NAME];
    return { name: NAME, help, type, values, aggregator: 'sum' };
  }
}
