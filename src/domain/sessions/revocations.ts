import { ACCESS_LIFE, type AccessClaims } from '../../schemas/claims.ts';
import type { User } from '../../schemas/user.ts';

/** How long a revocation matters (ms): until the last access token that it concerns has expired, and some skew. */
export const REVOCATION_LIFE = (ACCESS_LIFE + 60) * 1_000;

interface LowestVersion {
  version: number;
  until: number;
}

/**
 * What was revoked within the last access-token life: session ids, and the lowest valid token version of
 * users. Asked on every request, so in memory; learned from rows, at once on the node that wrote them.
 */
export class Revocations {
  readonly #sessions = new Map<string, number>();
  readonly #users = new Map<string, LowestVersion>();

  /** Takes in what this row says was revoked. */
  learn(user: User): void {
    if (user.revoked_at === null) return;
    // A row read before another was written may arrive after it: versions only go up.
    const known = this.#users.get(user.id) ?? { version: 0, until: 0 };
    this.#users.set(user.id, {
      version: Math.max(user.token_version, known.version),
      until: Math.max(user.revoked_at + REVOCATION_LIFE, known.until),
    });
    for (const { id, ended_at } of user.sessions) {
      if (ended_at !== undefined) this.#sessions.set(id, ended_at + REVOCATION_LIFE);
    }
  }

  includes({ sub, sid, ver }: Pick<AccessClaims, 'sub' | 'sid' | 'ver'>): boolean {
    return this.#sessions.has(sid) || ver < (this.#users.get(sub)?.version ?? 0);
  }

  /** Drops what every token has outlived at `now` (ms). */
  forget(now: number): void {
    for (const [id, until] of this.#sessions) if (now >= until) this.#sessions.delete(id);
    for (const [id, { until }] of this.#users) if (now >= until) this.#users.delete(id);
  }
}
