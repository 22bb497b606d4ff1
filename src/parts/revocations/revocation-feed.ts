import type { Clock, Uptime } from '../../rules/clock.ts';
import { REVOCATION_LIFE } from '../../rules/sessions.ts';
import type { Users } from '../storage/users.ts';
import type { Revocations } from './revocations.ts';

/** Each poll looks back this far before the last one (ms): a row may be committed late, or by a node whose clock is behind. */
const OVERLAP = 30_000;

/** How old the snapshot may be before `/readyz` says so (ms). */
const STALE = 5_000;

const CLEAN_UP_EVERY = 60_000;

/** Rows read at a time, so that their parsing does not hold up requests. */
const PAGE = 100;

/** How far a clock may be set back before that counts as a jump (ms). */
const JUMP = 1_000;

interface Parts {
  users: Pick<Users, 'revokedSince' | 'removeDeleted'>;
  revocations: Revocations;
  clock: Clock;
  uptime: Uptime;
}

/**
 * Learns from the database what other nodes revoked. Rows carry the time of the node that wrote them, and the
 * clock of this one may be wrong for a while: the least that it has been ahead of the uptime within an
 * access-token life counts.
 */
export class RevocationFeed {
  readonly #parts: Parts;
  #polling: Promise<void> | undefined;
  /** By the uptime. */
  #polledAt: number | undefined;
  #cleanedAt = Number.NEGATIVE_INFINITY;
  /** The clock less the uptime. */
  #offset = { least: Number.POSITIVE_INFINITY, until: Number.NEGATIVE_INFINITY };

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** After a failure the old snapshot stays, and the next poll looks back to the last that succeeded. One runs at a time. */
  poll(): Promise<void> {
    this.#polling ??= this.#poll().finally(() => {
      this.#polling = undefined;
    });
    return this.#polling;
  }

  /** Polls every so often (ms), but not while a poll still runs: a database that hangs is asked once. Answers how to stop. */
  follow(every: number, failed: (error: unknown) => void): () => void {
    const timer = setInterval(() => {
      if (this.#polling === undefined) this.poll().catch(failed);
    }, every);
    return () => clearInterval(timer);
  }

  get isFresh(): boolean {
    return this.#polledAt !== undefined && this.#parts.uptime() - this.#polledAt < STALE;
  }

  async #poll(): Promise<void> {
    const { users, revocations, uptime } = this.#parts;
    const now = uptime();
    this.#followClock(now);
    const since = this.#polledAt === undefined ? now - REVOCATION_LIFE : this.#polledAt - OVERLAP;
    for await (const page of users.revokedSince(this.#instantOf(since), PAGE))
      for (const user of page) revocations.learn(user);
    revocations.forget();
    this.#polledAt = now;
    if (now - this.#cleanedAt < CLEAN_UP_EVERY) return;
    await users.removeDeleted(this.#instantOf(now - REVOCATION_LIFE));
    this.#cleanedAt = now;
  }

  /** The time in rows that is this uptime: whole milliseconds, as the uptime has fractions and a column has none. */
  #instantOf(uptime: number): number {
    return Math.floor(uptime + this.#offset.least);
  }

  #followClock(now: number): void {
    const offset = this.#parts.clock() - now;
    const { least, until } = this.#offset;
    // It had been ahead from the start, and so was every look back: they begin anew.
    if (offset < least - JUMP) this.#polledAt = undefined;
    if (offset <= least || now >= until)
      this.#offset = { least: offset, until: now + REVOCATION_LIFE };
  }
}
