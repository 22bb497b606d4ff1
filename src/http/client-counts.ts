import type { Counted } from '../parts/peers.ts';
import type { CountsOfAllNodes } from '../parts/redis/counts-of-all-nodes.ts';
import type { CountsOfNode } from './counts-of-node.ts';

interface Count {
  count: number;
  /** Milliseconds since 1970. */
  ends: number;
}

interface Options {
  maxClients?: number;
  node?: CountsOfNode | undefined;
  all?: CountsOfAllNodes | undefined;
  limit?: number;
  route?: string;
}

/** What the plugin says about a route with its own limit. */
interface Route {
  max?: number;
  routeInfo?: { method?: string | string[]; url?: string };
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
  readonly #all: CountsOfAllNodes | undefined;
  readonly #limit: number;
  readonly #route: string;
  readonly #tell: ReturnType<CountsOfNode['join']> | undefined;
  readonly #counts = new Map<string, Count>();
  #sweptAt = 0;

  /**
   * `node`: if the process is one of several workers. `all`: if the nodes count together. `limit`: requests in a window.
   * `route`: the route whose requests are counted; all routes if it is empty.
   */
  constructor({ maxClients = MAX_CLIENTS, node, all, limit = Infinity, route = '' }: Options = {}) {
    this.#maxClients = maxClients;
    this.#node = node;
    this.#all = all;
    this.#limit = limit;
    this.#route = route;
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
    const { count } = current;
    // Refused here, and so everywhere: a flood costs Redis nothing.
    if (this.#all === undefined || count > this.#limit) {
      this.#tell?.(key, count, current.ends);
      answer(null, { current: count, ttl: current.ends - now });
      return;
    }
    this.#all.add(`${this.#route} ${key}`, window, (shared) => {
      // The other workers ask Redis themselves.
      if (shared === undefined) this.#tell?.(key, count, current.ends);
      // Redis has lost counts, or was away for some of them: those of this process hold until their window ends.
      if (shared === undefined || shared.count < count) {
        answer(null, { current: count, ttl: Math.max(0, current.ends - Date.now()) });
        return;
      }
      current.count = Math.max(current.count, shared.count);
      current.ends = Date.now() + shared.left;
      answer(null, { current: shared.count, ttl: shared.left });
    });
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
  child(own: object): ClientCounts {
    const { max = Infinity, routeInfo: { method, url } = {} } = own as Route;
    return new ClientCounts({
      maxClients: this.#maxClients,
      node: this.#node,
      all: this.#all,
      limit: max,
      route: `${method} ${url}`,
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
