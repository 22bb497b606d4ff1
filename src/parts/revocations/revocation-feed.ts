import type { Clock, Uptime } from '../../rules/clock.ts';
import { REVOCATION_LIFE } from '../../rules/sessions.ts';
import type { Users } from '../storage/users.ts';
import type { Revocations } from './revocations.ts';

/** Each poll overlaps the last one by this (ms): a row may be committed late, or by a node whose clock is behind. */
const OVERLAP = 30_000;

/** Age from which `/readyz` reports the snapshot as stale (ms). */
const STALE = 5_000;

const CLEAN_UP_EVERY = 60_000;

/** Rows per page, so that a page does not delay requests. */
const PAGE = 500;

/** A clock set back by more than this counts as a jump (ms). */
const JUMP = 1_000;

interface Options {
  users: Pick<Users, 'revokedSince' | 'removeDeleted'>;
  revocations: Revocations;
  clock: Clock;
  uptime: Uptime;
  /** Called after each successful poll, with how long it took (ms). */
  polled?: (duration: number) => void;
}

/**
 * Learns from the database what other nodes revoked. Rows have the wall time of the node that wrote them, and this
 * node's clock may be wrong for a while. So it uses the smallest offset between clock and uptime that it has seen
 * within an access-token life.
 */
export class RevocationFeed {
  readonly #options: Options;
  #polling: Promise<void> | undefined;
  /** Uptime of the last successful poll (ms). */
  #polledAt: number | undefined;
  #cleanedAt = Number.NEGATIVE_INFINITY;
  /** Clock minus uptime (ms), and the uptime at which it expires. */
  #offset = { least: Number.POSITIVE_INFINITY, until: Number.NEGATIVE_INFINITY };

  constructor(options: Options) {
    this.#options = options;
  }

  /** One poll runs at a time. After a failure the old snapshot stays, and the next poll reads from the last success on. */
  poll(): Promise<void> {
    this.#polling ??= this.#poll().finally(() => {
      this.#polling = undefined;
    });
    return this.#polling;
  }

  /** Polls `every` milliseconds, except while a poll still runs, so that polls do not pile up. Returns a stop function. */
  follow(every: number, failed: (error: unknown) => void): () => void {
    const timer = setInterval(() => {
      if (this.#polling === undefined) this.poll().catch(failed);
    }, every);
    return () => clearInterval(timer);
  }

  get isFresh(): boolean {
    return this.age < STALE;
  }

  /** Since the last successful poll (ms). */
  get age(): number {
    return this.#options.uptime() - (this.#polledAt ?? Number.NEGATIVE_INFINITY);
  }

  async #poll(): Promise<void> {
    const { users, revocations, uptime } = this.#options;
    const now = uptime();
    this.#followClock(now);
    const since = this.#polledAt === undefined ? now - REVOCATION_LIFE : this.#polledAt - OVERLAP;
    for await (const page of users.revokedSince(this.#instantOf(since), PAGE))
      for (const user of page) revocations.learn(user);
    revocations.forget();
    this.#polledAt = now;
    this.#options.polled?.(uptime() - now);
    if (now - this.#cleanedAt < CLEAN_UP_EVERY) return;
    await users.removeDeleted(this.#instantOf(now - REVOCATION_LIFE));
    this.#cleanedAt = now;
  }

  /** Converts uptime to the wall time in rows: whole milliseconds, because the column takes no fractions. */
  #instantOf(uptime: number): number {
    return Math.floor(uptime + this.#offset.least);
  }

  #followClock(now: number): void {
    const offset = this.#options.clock() - now;
    const { least, until } = this.#offset;
    // The clock was ahead since the start, so every earlier poll started too late: read the whole window again.
    if (offset < least - JUMP) this.#polledAt = undefined;
    if (offset <= least || now >= until)
      this.#offset = { least: offset, until: now + REVOCATION_LIFE };
  }
}
