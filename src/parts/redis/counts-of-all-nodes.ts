import { createHmac } from 'node:crypto';
import { type Addition, RedisFault, type RedisLink, type SharedCount } from './redis-link.ts';

/** The longest that a request waits for Redis is twice this (ms): a command that is on its way, and then its own. */
const PATIENCE = 50;

/** The same for the first probe, while nobody waits: a process that starts is busy (ms). */
const PATIENCE_AT_START = 1_000;

/** How often it looks whether Redis is back (ms). */
const PROBE_EVERY = 1_000;

type Told = (shared?: SharedCount) => void;

interface Gathered {
  window: number;
  waiting: Told[];
}

interface Options {
  link: Pick<RedisLink, 'add' | 'close'>;
  /** Hides the addresses of clients; the same on all nodes. */
  key(): Buffer;
  log: { warn(message: string): void; info(message: string): void };
}

/**
 * The requests that all nodes have counted. One command at a time is on its way, with everything that came meanwhile: a
 * busy node asks Redis less often than it is asked. If Redis does not answer in time or refuses, nobody waits for it any
 * longer until it has counted a probe.
 */
export class CountsOfAllNodes {
  readonly #options: Options;
  #gathering = new Map<string, Gathered>();
  #isAsking = false;
  #isAway = true;
  #isClosed = false;
  #probes: NodeJS.Timeout | undefined;

  private constructor(options: Options) {
    this.#options = options;
  }

  static async open(options: Options): Promise<CountsOfAllNodes> {
    const counts = new CountsOfAllNodes(options);
    const fault = await counts.#probe(PATIENCE_AT_START);
    if (fault !== undefined) counts.#giveUp(fault);
    return counts;
  }

  get isAway(): boolean {
    return this.#isAway;
  }

  /** Counts one request. `window` in milliseconds. Tells nothing if Redis is away. */
  add(client: string, window: number, told: Told): void {
    if (this.#isAway) {
      told();
      return;
    }
    const place = createHmac('sha256', this.#options.key())
      .update(client)
      .digest('base64url')
      .slice(0, 22);
    const gathered = this.#gathering.get(place);
    if (gathered) gathered.waiting.push(told);
    else this.#gathering.set(place, { window, waiting: [told] });
    this.#askSoon();
  }

  /** Says and asks nothing any more. Those that wait for an answer are told nothing. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#probes);
    this.#probes = undefined;
    this.#options.link.close();
  }

  /** After the other requests that have arrived, so that they are in the same command. */
  #askSoon(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    setImmediate(() => this.#ask());
  }

  async #ask(): Promise<void> {
    const asked = this.#gathering;
    this.#gathering = new Map();
    const additions = [...asked].map(([key, { window, waiting }]) => ({
      key,
      window,
      count: waiting.length,
    }));
    const counts = await this.#inTime(additions).catch((fault: RedisFault) => fault);
    this.#isAsking = false;
    if (counts instanceof RedisFault) this.#giveUp(counts, asked);
    else {
      for (const [index, { waiting }] of [...asked.values()].entries()) {
        const { count, left } = counts[index] as SharedCount;
        const before = count - waiting.length;
        for (const [turn, told] of waiting.entries()) told({ count: before + turn + 1, left });
      }
      if (this.#gathering.size > 0) this.#askSoon();
    }
  }

  #giveUp({ message }: RedisFault, asked = new Map<string, Gathered>()): void {
    this.#isAway = true;
    if (!this.#isClosed) {
      this.#options.log.warn(
        `REDIS_URL: Redis does not count (${message}). Each node counts requests for itself until it does`,
      );
      this.#probes = setInterval(() => this.#look(), PROBE_EVERY).unref();
    }
    const all = [...asked.values(), ...this.#gathering.values()];
    this.#gathering = new Map();
    for (const { waiting } of all) for (const told of waiting) told();
  }

  async #look(): Promise<void> {
    if ((await this.#probe()) !== undefined || this.#probes === undefined) return;
    clearInterval(this.#probes);
    this.#probes = undefined;
    this.#options.log.info('REDIS_URL: Redis counts again, for all nodes together');
  }

  /** It writes, because a full Redis and a replica answer what only reads. */
  async #probe(patience = PATIENCE): Promise<RedisFault | undefined> {
    try {
      await this.#inTime([{ key: 'probe', count: 1, window: PROBE_EVERY }], patience);
      this.#isAway = false;
      return undefined;
    } catch (fault) {
      return fault as RedisFault;
    }
  }

  #inTime(additions: Addition[], patience = PATIENCE): Promise<SharedCount[]> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new RedisFault(`no answer within ${patience} ms`));
      // If this process was busy, the answer may have arrived: `setImmediate` lets it be read first.
      const timer = setTimeout(() => setImmediate(late), patience);
      this.#options.link
        .add(additions)
        .then(resolve, reject)
        .finally(() => clearTimeout(timer));
    });
  }
}
