import type { Uptime } from '../../rules/clock.ts';
import { REVOCATION_LIFE } from '../../rules/sessions.ts';
import { randomId } from '../ids.ts';

/** A session that has ended, or the lowest access version of a user that is still valid. */
export type Revocation = { sid: string } | { sub: string; ver: number };

interface Entry {
  revocation: Revocation;
  /** Of the row: wall time of the node that wrote it (ms). */
  at: number;
  /** Uptime (ms). */
  until: number;
}

/** Where a reader is: the node that answered, how much it had learned, and the wall time of its last poll (ms). */
const CURSOR = /^([\w-]{22})\.(\d{1,15})\.(\d{1,15})$/;

/** A reader who comes from another node gets this much again (ms): a row may be committed late, and clocks differ. */
const OVERLAP = 30_000;

/** A cursor further ahead of the clock than this (ms) was given by a node whose clock was wrong. */
const AHEAD = 5_000;

/** After a revocation a waiting reader waits this much longer (ms), so that many at once are one answer. */
const GATHER = 50;

/** What a node has learned of revocations, in order, for readers elsewhere. An entry stays until every token it concerns has expired. */
export class RevocationLog {
  readonly #uptime: Uptime;
  readonly #node = randomId();
  #entries: Entry[] = [];
  /** How many older entries were dropped. */
  #dropped = 0;
  readonly #waiting = new Set<() => void>();
  #gathering: ReturnType<typeof setTimeout> | undefined;

  constructor(uptime: Uptime) {
    this.#uptime = uptime;
  }

  add(revocation: Revocation, at: number): void {
    this.#entries.push({ revocation, at, until: this.#uptime() + REVOCATION_LIFE });
    if (this.#waiting.size === 0) return;
    this.#gathering ??= setTimeout(() => this.release(), GATHER);
  }

  /** What this node has learned so far, as a name. */
  get state(): string {
    return `${this.#node}.${this.#dropped + this.#entries.length}`;
  }

  /** `polled`: the wall time until when this node knows what others have revoked (whole milliseconds). */
  cursor(polled: number): string {
    return `${this.state}.${polled}`;
  }

  /** What came after the cursor; undefined if only the whole log can tell. `now`: wall time (ms). */
  after(cursor: string, now: number): Revocation[] | undefined {
    const [, node, count, given] = CURSOR.exec(cursor) ?? [];
    const index = Number(count) - this.#dropped;
    if (node === this.#node && index <= this.#entries.length)
      return this.#entries.slice(Math.max(0, index)).map(({ revocation }) => revocation);
    const from = Number(given);
    // Not a number either.
    if (!(from <= now + AHEAD && from >= now - REVOCATION_LIFE + OVERLAP)) return undefined;
    return this.#entries
      .filter(({ at }) => at >= from - OVERLAP)
      .map(({ revocation }) => revocation);
  }

  all(): Revocation[] {
    return this.#entries.map(({ revocation }) => revocation);
  }

  forget(): void {
    const now = this.#uptime();
    const first = this.#entries.findIndex(({ until }) => now < until);
    const gone = first < 0 ? this.#entries.length : first;
    if (gone === 0) return;
    this.#entries.splice(0, gone);
    this.#dropped += gone;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Resolves soon after the next revocation, after `limit` milliseconds, or when `signal` aborts. */
  async news(limit: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, limit);
    signal.addEventListener('abort', () => resolve(), { once: true });
    this.#waiting.add(resolve);
    await promise;
    this.#waiting.delete(resolve);
    clearTimeout(timer);
  }

  /** Nobody waits any longer. */
  release(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    for (const resolve of this.#waiting) resolve();
  }
}
