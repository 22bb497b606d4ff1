import type { Users } from '../../storage/users.ts';
import type { Clock } from '../clock.ts';
import { REVOCATION_LIFE, type Revocations } from './revocations.ts';

/** Each poll looks back this far before the last one (ms): a row may be committed late, or by a node whose clock is behind. */
const OVERLAP = 30_000;

/** How old the snapshot may be before `/readyz` says so (ms). */
const STALE = 5_000;

const CLEAN_UP_EVERY = 60_000;

/** Learns from the database what other nodes revoked. */
export class RevocationFeed {
  readonly #users: Users;
  readonly #revocations: Revocations;
  readonly #clock: Clock;
  #polledAt: number | undefined;
  #cleanedAt = 0;

  constructor(users: Users, revocations: Revocations, clock: Clock) {
    this.#users = users;
    this.#revocations = revocations;
    this.#clock = clock;
  }

  /** One indexed query. After a failure the old snapshot stays, and the next poll looks back to the last that succeeded. */
  async poll(): Promise<void> {
    const now = this.#clock();
    const since = this.#polledAt === undefined ? now - REVOCATION_LIFE : this.#polledAt - OVERLAP;
    const revoked = await this.#users.revokedSince(since);
    for (const user of revoked) this.#revocations.learn(user);
    this.#revocations.forget(now);
    this.#polledAt = now;
    if (now - this.#cleanedAt >= CLEAN_UP_EVERY) {
      await this.#users.removeDeleted(now - REVOCATION_LIFE);
      this.#cleanedAt = now;
    }
  }

  get isFresh(): boolean {
    return this.#polledAt !== undefined && this.#clock() - this.#polledAt < STALE;
  }
}
