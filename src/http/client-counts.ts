import type { Counted } from '../parts/peers.ts';
import type { CountsOfNode } from './counts-of-node.ts';

interface Count {
  count: number;
  /** Milliseconds since 1970. */
  ends: number;
}

interface Options {
  maxClients?: number;
  node?: CountsOfNode;
  limit?: number;
}

type Answer = (error: Error | null, result?: { current: number; ttl: number }) => void;

/** Clients counted individually; about 20 MB. */
const MAX_CLIENTS = 100_000;
const SWEEP_EVERY = 1_000;

/** The network of a client prefix: IPv4 /8, IPv6 /32. */
const networkOf = (prefix: string): string =>
  prefix.includes(':') ? prefix.split(':', 2).join(':') : prefix.split('.', 1).join('.');

/**
 * Counts requests per client prefix in fixed windows. No count is dropped before its window ends, so a flood
 * from many addresses cannot evict one. When the table is full, new clients of the same network share a count.
 */
export class ClientCounts {
  readonly #maxClients: number;
  readonly #node: CountsOfNode | undefined;
  readonly #tell: ReturnType<CountsOfNode['join']> | undefined;
  readonly #counts = new Map<string, Count>();
  #sweptAt = 0;

  /** `node`: if the process is one of several workers. `limit`: requests in a window. */
  constructor({ maxClients = MAX_CLIENTS, node, limit = Number.POSITIVE_INFINITY }: Options = {}) {
    this.#maxClients = maxClients;
    this.#node = node;
    this.#tell = node?.join(this, limit);
  }

  /** `window` in milliseconds. */
  incr(prefix: string, answer: Answer, window: number): void {
    const now = Date.now();
    const key = this.#keyFor(prefix, now);
    const known = this.#counts.get(key);
    const current =
      known !== undefined && now < known.ends ? known : { count: 0, ends: now + window };
    current.count += 1;
    this.#counts.set(key, current);
    this.#tell?.(key, current.count, current.ends);
    answer(null, { current: current.count, ttl: current.ends - now });
  }

  /** Adds what another worker has counted. Of two windows, the one that ends first stays. */
  learn({ key: told, count, ends }: Counted): void {
    const now = Date.now();
    if (now >= ends) return;
    const key = this.#keyFor(told, now);
    const known = this.#counts.get(key);
    const current = known !== undefined && now < known.ends ? known : { count: 0, ends };
    current.count += count;
    current.ends = Math.min(current.ends, ends);
    this.#counts.set(key, current);
  }

  /** A route with its own limit has its own counts. */
  child(route: object): ClientCounts {
    const { max } = route as { max?: number };
    return new ClientCounts({
      maxClients: this.#maxClients,
      ...(this.#node && { node: this.#node, limit: Number(max) }),
    });
  }

  #keyFor(prefix: string, now: number): string {
    if (this.#counts.has(prefix) || this.#counts.size < this.#maxClients) return prefix;
    if (now - this.#sweptAt >= SWEEP_EVERY) {
      this.#sweptAt = now;
      for (const [key, { ends }] of this.#counts) if (now >= ends) this.#counts.delete(key);
      if (this.#counts.size < this.#maxClients) return prefix;
    }
    return `network ${networkOf(prefix)}`;
  }
}
