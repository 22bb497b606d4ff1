import type { Uptime } from '../../rules/clock.ts';
import { REVOCATION_LIFE } from '../../rules/sessions.ts';
import type { AccessClaims } from '../../schemas/claims.ts';
import type { RevokedUser } from '../../schemas/user.ts';
import { RevocationLog } from './revocation-log.ts';

interface LowestVersion {
  version: number;
  until: number;
}

/**
 * What was revoked within the last access-token life: session IDs, and the lowest valid access version of each user.
 * In memory, because every request checks it. Learned from rows, immediately on the node that wrote them. Entries
 * expire by uptime, so a wrong clock cannot make a revoked token valid again.
 */
export class Revocations {
  readonly #uptime: Uptime;
  readonly log: RevocationLog;
  readonly #sessions = new Map<string, number>();
  readonly #users = new Map<string, LowestVersion>();

  constructor(uptime: Uptime) {
    this.#uptime = uptime;
    this.log = new RevocationLog(uptime);
  }

  /** Adds what this row has revoked. Returns whether any of it is new here. */
  learn({ id: sub, access_version, revoked_at, sessions }: RevokedUser): boolean {
    if (revoked_at === null) return false;
    const until = this.#uptime() + REVOCATION_LIFE;
    const known = this.#users.get(sub)?.version;
    // Rows may arrive out of order, but versions only go up.
    const version = Math.max(access_version, known ?? 0);
    this.#users.set(sub, { version, until });
    // No token has a version below 0.
    if (version > (known ?? 0)) this.log.add({ sub, ver: version }, revoked_at);
    const count = this.#sessions.size;
    for (const { id, ended_at } of sessions) {
      if (ended_at === undefined) continue;
      if (!this.#sessions.has(id)) this.log.add({ sid: id }, revoked_at);
      this.#sessions.set(id, until);
    }
    return version !== known || this.#sessions.size > count;
  }

  /** Sessions and users. */
  get size(): number {
    return this.#sessions.size + this.#users.size;
  }

  includes({ sub, sid, ver }: Pick<AccessClaims, 'sub' | 'sid' | 'ver'>): boolean {
    return this.#sessions.has(sid) || ver < (this.#users.get(sub)?.version ?? 0);
  }

  /** Drops entries for which every affected token has expired. */
  forget(): void {
    const now = this.#uptime();
    this.log.forget();
    for (const [id, until] of this.#sessions) if (now >= until) this.#sessions.delete(id);
    for (const [id, { until }] of this.#users) if (now >= until) this.#users.delete(id);
  }
}
