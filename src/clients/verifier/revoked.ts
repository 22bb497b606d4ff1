import type { Claims } from '../verify.d.ts';
import { SKEW, wallTime } from './access-claims.ts';
import { uptime } from './fetched.ts';
import { invalid } from './token-error.ts';

export const LIST_TYPE = /^revocations\+jwt$/;

/** Milliseconds: longer than an access token lives, with the skew of two clocks. */
const KEEP = 960_000;

interface List {
  iat: number;
  exp: number;
  cursor: string;
  since?: string;
  sessions: string[];
  users: Record<string, number>;
}

type Revocable = Pick<Claims, 'sub' | 'sid' | 'ver'>;

const isList = (value: Record<string, unknown>): value is Record<string, unknown> & List => {
  const { iat, exp, cursor, sessions, users } = value;
  return (
    Number.isSafeInteger(iat) &&
    Number.isSafeInteger(exp) &&
    typeof cursor === 'string' &&
    Array.isArray(sessions) &&
    typeof users === 'object' &&
    users !== null
  );
};

/** Adds an entry as the newest one. */
const put = <Value>(map: Map<string, Value>, key: string, value: Value) => {
  map.delete(key);
  map.set(key, value);
};

/** What the issuer has revoked within the last 16 minutes. Lists only add to it, so an old or short one takes nothing away. */
export class Revoked {
  cursor: string | undefined;
  #issuer: string;
  /** Until when, by `uptime`. In the order of time. */
  #sessions = new Map<string, { until: number }>();
  #users = new Map<string, { until: number; ver: number }>();
  /** When the newest list was true, by `uptime`. */
  #trueAt = Number.NEGATIVE_INFINITY;
  #watched = new Map<object, { claims: Revocable; call: () => void }>();

  constructor(issuer: string) {
    this.#issuer = issuer;
  }

  includes({ sub, sid, ver }: Revocable): boolean {
    return this.#sessions.has(sid) || ver < (this.#users.get(sub)?.ver ?? 0);
  }

  /** Milliseconds since the newest list was true. */
  get age(): number {
    return uptime() - this.#trueAt;
  }

  /** Adds a list whose signature was checked. `since`: the cursor that was asked for. Refuses another list with the reason. */
  learn(list: Record<string, unknown>, since: string | undefined): void {
    const now = wallTime();
    const url = `${this.#issuer}/.well-known/revocations`;
    if (list['iss'] !== this.#issuer || list['aud'] !== url) throw invalid('of another issuer');
    if (!isList(list)) throw invalid('no list');
    if (list.iat > now + SKEW || list.exp <= now - SKEW) throw invalid('old list');
    // A part that begins later than what is known would leave a gap.
    if (list.since !== undefined && list.since !== since) throw invalid('another part');
    this.cursor = list.cursor;
    // By `iat`, so that the same list again is no younger.
    this.#trueAt = Math.max(this.#trueAt, uptime() - Math.max(0, now - list.iat) * 1_000);
    const until = uptime() + KEEP;
    for (const sid of list.sessions) put(this.#sessions, sid, { until });
    for (const [sub, ver] of Object.entries(list.users)) {
      const known = this.#users.get(sub)?.ver ?? 0;
      // Of two versions the higher one; what is no number changes nothing.
      put(this.#users, sub, { until, ver: ver > known ? ver : known });
    }
    this.#forget();
    for (const { claims, call } of this.#watched.values())
      if (this.includes(claims)) queueMicrotask(call);
  }

  /** Calls when the token of these claims is revoked. Returns what stops that. */
  watch(claims: Revocable, call: () => void): () => void {
    const key = {};
    this.#watched.set(key, { claims, call });
    if (this.includes(claims)) queueMicrotask(call);
    return () => this.#watched.delete(key);
  }

  #forget(): void {
    const now = uptime();
    for (const map of [this.#sessions, this.#users])
      for (const [key, { until }] of map) {
        if (now < until) break;
        map.delete(key);
      }
  }
}
