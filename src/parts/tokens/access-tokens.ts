import { LRUCache } from 'lru-cache';
import type { Clock } from '../../rules/clock.ts';
import { Refusal } from '../../rules/refusal.ts';
import { ACCESS_LIFE, AccessClaims } from '../../schemas/claims.ts';
import type { Session, User } from '../../schemas/user.ts';
import { randomId } from '../ids.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { Revocations } from '../revocations/revocations.ts';
import { headerOf, isOurForm, MAX_TOKEN_LENGTH } from './compact-jws.ts';

/** How far another node's clock may be ahead (s). */
const SKEW = 5;

/** A token over 1 KB no longer fits everywhere that a header has to go. */
const MAX_ISSUED_LENGTH = 1_024;

const MAX_REMEMBERED = 20_000;

/** The client of a person's tokens (RFC 9068 section 2.2 asks for one); a service account is its own. */
const FIRST_PARTY = 'latchkey';

interface Remembered {
  claims: AccessClaims;
  /** When its key is no longer honoured (ms). */
  keyEnds: number;
}

interface Options {
  issuer: string;
  audience: string;
  keys: KeyRing;
  revocations: Revocations;
  clock: Clock;
}

/** Makes and reads access tokens (RFC 9068), with no look at anything but the token, the keys and the snapshot. */
export class AccessTokens {
  readonly #options: Options;
  readonly #remembered = new LRUCache<string, Remembered>({ max: MAX_REMEMBERED });
  #edition = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Refuses to make a token over 1 KB: an error that names the largest claim. */
  issue(user: User, session: Pick<Session, 'id' | 'amr' | 'created_at'>): string {
    const { issuer, audience, keys, clock } = this.#options;
    const now = clock();
    const iat = Math.floor(now / 1_000);
    const claims: AccessClaims = {
      iss: issuer,
      aud: audience,
      sub: user.id,
      client_id: user.kind === 'service' ? user.id : FIRST_PARTY,
      iat,
      exp: iat + ACCESS_LIFE,
      jti: randomId(),
      sid: session.id,
      ver: user.access_version,
      roles: user.roles,
      amr: session.amr,
      auth_time: Math.floor(session.created_at / 1_000),
    };
    const token = keys.signer('access', now).sign(claims);
    if (token.length > MAX_ISSUED_LENGTH)
      throw new Error(`access token over 1 KB: ${largestOf(claims)} is large`);
    return token;
  }

  /** The claims of a token that holds now. Refuses with `token_expired`, `token_revoked` or `token_invalid`. */
  read(token: string): AccessClaims {
    const claims = this.readEvenRevoked(token);
    if (this.#options.revocations.includes(claims)) throw new Refusal('token_revoked');
    return claims;
  }

  /** For a sign-out, which the row decides. Refuses with `token_expired` or `token_invalid`. */
  readEvenRevoked(token: string): AccessClaims {
    const { keys, clock } = this.#options;
    const now = clock();
    if (keys.generation !== this.#edition) {
      this.#remembered.clear();
      this.#edition = keys.generation;
    }
    const known = this.#remembered.get(token);
    const { claims, keyEnds } = known ?? this.#check(token, now);
    if (now >= keyEnds) throw invalid('the key has ended');
    if (now >= claims.exp * 1_000) throw new Refusal('token_expired');
    if (known === undefined) this.#remembered.set(token, { claims, keyEnds });
    return claims;
  }

  /** Everything about a token that does not change with time. */
  #check(token: string, now: number): Remembered {
    if (token.length > MAX_TOKEN_LENGTH) throw invalid('too long');
    const key = this.#options.keys.verifier('access', headerOf(token), now);
    if (key === undefined) throw invalid('not a header of ours');
    if (!isOurForm(token)) throw invalid('not the form of ours');
    let payload: unknown;
    try {
      payload = key.verify(token);
    } catch (error) {
      throw invalid((error as Error).message);
    }
    const { success, data: claims } = AccessClaims.safeParse(payload);
    if (!success) throw invalid('claims missing, unknown or of the wrong type');
    const latest = Math.floor(now / 1_000) + SKEW;
    if (claims.iat > latest) throw invalid('iat lies in the future');
    if ((claims.nbf ?? 0) > latest) throw invalid('nbf lies in the future');
    if (claims.exp - claims.iat > ACCESS_LIFE) throw invalid('lives too long');
    return { claims: deepFreeze(claims), keyEnds: key.notAfter };
  }
}

/** Why is for the log alone: every bad token gets the same answer. */
const invalid = (reason: string) => new Refusal('token_invalid', { reason });

function deepFreeze(claims: AccessClaims): AccessClaims {
  Object.freeze(claims.roles);
  Object.freeze(claims.amr);
  return Object.freeze(claims);
}

const largestOf = (claims: AccessClaims): string =>
  Object.entries(claims).reduce(
    (largest, [name, value]) => {
      const size = JSON.stringify(value).length;
      return size > largest.size ? { name, size } : largest;
    },
    { name: '', size: 0 },
  ).name;
