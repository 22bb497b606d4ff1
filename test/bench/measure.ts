import type { Counted, Load } from './load.ts';
import type { Loader, Side } from './sides.ts';

/** One thing that is loaded, as often as there are rounds. */
export interface Contender {
  name: string;
  side: Side;
  load: Omit<Load, 'port' | 'milliseconds'>;
}

export interface Measured {
  /** Answers per second of each round. */
  rates: number[];
  /** Processor time of the server for one answer (µs) in each round. */
  costs: number[];
  /** The last round. */
  counted: Counted;
}

export const median = (numbers: number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

/** Half of the distance between the best and the worst round, as a share of the median. */
export const spread = (numbers: number[]): number =>
  (Math.max(...numbers) - Math.min(...numbers)) / 2 / median(numbers);

/** Loads all of them in turn, round by round, so that what disturbs the machine disturbs all. The first round warms up. */
export async function interleaved(
  contenders: Contender[],
  {
    loader,
    rounds,
    seconds,
    progress,
  }: { loader: Loader; rounds: number; seconds: number; progress: (what: string) => void },
): Promise<Map<string, Measured>> {
  const results = new Map<string, Measured>();
  for (let round = 0; round <= rounds; round += 1) {
    for (const { name, side, load } of contenders) {
      progress(round === 0 ? `${name}: warming up` : `${name}: round ${round} of ${rounds}`);
      const before = await side.processorTime();
      const counted = await loader.load({
        ...load,
        port: side.said.port,
        milliseconds: seconds * 1_000,
      });
      const used = (await side.processorTime()) - before;
      if (counted.refused > 0) throw new Error(`${name}: ${counted.refused} answers were not 2xx`);
      if (round === 0) continue;
      const { rates = [], costs = [] } = results.get(name) ?? {};
      rates.push(counted.answers / counted.seconds);
      costs.push(used / counted.answers);
      results.set(name, { rates, costs, counted });
    }
  }
  return results;
}
