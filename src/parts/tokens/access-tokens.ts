import { LRUCache } from 'lru-cache';
import type { Clock } from '../../rules/clock.ts';
import { EVERY_FACTOR, FACTORS } from '../../rules/factors/factors.ts';
import { Refusal } from '../../rules/refusal.ts';
import { MFA } from '../../rules/second-factor.ts';
import { ACCESS_LIFE, AccessClaims } from '../../schemas/claims.ts';
import type { User } from '../../schemas/user.ts';
import { randomId } from '../ids.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { Revocations } from '../revocations/revocations.ts';
import { largestOf, newClaims, type Signed } from './access-claims.ts';
import { headerOf, isOurForm, MAX_TOKEN_LENGTH } from './compact-jws.ts';

/** How far another node's clock may be ahead (seconds). */
const SKEW = 5;

/** Characters. Longer tokens exceed the header limits of some proxies and servers. */
export const MAX_ISSUED_LENGTH = 1_024;

/**
 * Characters of all remembered tokens: some 14,000 of them. With its claims, a token takes about three times its length
 * in memory (bytes).
 */
const MAX_REMEMBERED = 8_000_000;

interface Remembered {
  claims: AccessClaims;
  /** When its key expires (ms). */
  keyEnds: number;
}

/** What an account may get in its tokens: after every kind of sign-in and step-up, and many removed roles. */
const LARGEST = { amr: [...new Set([...EVERY_FACTOR.flatMap(({ amr }) => amr), MFA])], ver: 9_999 };

/** What it has in them after a sign-in by password, before any role was removed. */
const LEAST = { amr: FACTORS.password.amr, ver: 0 };

/** Characters of `cnf` (RFC 9449 section 6.1) in a token. They come on top: the client has asked for them. */
const CONFIRMATION = 80;

/** What may be asked for a token. */
interface Asked {
  /** The roles once more, for verifiers that read scopes (RFC 9068 section 2.2.3). */
  scope?: string | undefined;
  /** Whom it is for, if not this service. */
  audience?: string | undefined;
}

interface Options {
  issuer: string;
  audience: string;
  /** Other services that tokens may be for. */
  resources?: string[];
  /** A token of this user is longer than 1 KB. The text names the largest claim. */
  oversized?: (user: string, text: string) => void;
  keys: KeyRing;
  revocations: Revocations;
  clock: Clock;
}

/** Makes and reads access tokens (RFC 9068). Reading uses only the token, the keys and the revocation snapshot. */
export class AccessTokens {
  readonly #options: Options;
  readonly #remembered = new LRUCache<string, Remembered>({
    maxSize: MAX_REMEMBERED,
    sizeCalculation: (_remembered, token) => token.length,
  });
  readonly #texts = new WeakMap<AccessClaims, string>();
  #edition = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  /**
   * A token that would exceed 1 KB is issued without its `scope`. Throws an error that names the largest claim if it exceeds 1 KB
   * after a sign-in by password without custom claims too. Roles that fit then were accepted, and custom claims were checked when
   * they were set, so neither prevents another sign-in: not after a change of ISSUER or of the algorithm either. A reader takes
   * up to 4 KB.
   */
  issue(
    user: User,
    session: Signed,
    { scope, audience = this.#options.audience }: Asked = {},
  ): string {
    const { issuer, keys, clock, oversized } = this.#options;
    const now = clock();
    const claims = newClaims(user, session, { issuer, audience, scope, now });
    const signer = keys.signer('access', now);
    const token = signer.sign(claims);
    const counted = token.length - signer.excess - (claims.cnf ? CONFIRMATION : 0);
    if (counted <= MAX_ISSUED_LENGTH) return token;
    if (scope !== undefined) return this.issue(user, session, { audience });
    const text = `access token over 1 KB: ${largestOf(claims)} is large`;
    const least = newClaims({ ...user, claims: {} }, session, { issuer, audience, now });
    if (this.#lengthOf({ ...least, ...LEAST, cnf: undefined }, now) > MAX_ISSUED_LENGTH)
      throw new Error(text);
    oversized?.(user.id, text);
    return token;
  }

  /**
   * Characters that count in the longest access token that the account can get, for any resource. With custom claims, it counts what any
   * sign-in may add. Without them, only a sign-in by password counts, so that no roles are refused that work today.
   */
  longest(user: User): number {
    const { issuer, audience, resources = [], clock } = this.#options;
    const now = clock();
    const widest = [audience, ...resources].reduce((a, b) => (b.length > a.length ? b : a));
    const { amr, ver } = LARGEST;
    const hasClaims = Object.keys(user.claims).length > 0;
    const session = { id: randomId(), amr: hasClaims ? amr : LEAST.amr, created_at: now };
    const claims = newClaims(user, session, { issuer, audience: widest, now });
    return this.#lengthOf({ ...claims, ...(hasClaims && { ver }) }, now);
  }

  /** Characters that count in a token with these claims. */
  #lengthOf(claims: object, now: number): number {
    const bytes = Buffer.byteLength(JSON.stringify(claims));
    return this.#options.keys.overhead('access', now) + Math.ceil((bytes * 4) / 3);
  }

  /**
   * The claims of a valid token. Refuses with `token_expired`, `token_revoked` or `token_invalid`. `ofAnyAudience`: one for
   * another service too. For introspection and revocation only, because such a token opens nothing here.
   */
  read(token: string, ofAnyAudience = false): AccessClaims {
    const claims = this.readEvenRevoked(token, ofAnyAudience);
    if (this.#options.revocations.includes(claims)) throw new Refusal('token_revoked');
    return claims;
  }

  /** The claims that `read` returned, as JSON. Made once for each token. */
  textOf(claims: AccessClaims): string {
    let text = this.#texts.get(claims);
    if (text === undefined) {
      text = JSON.stringify(claims);
      this.#texts.set(claims, text);
    }
    return text;
  }

  /** For sign-out, where the row decides about revocation. Refuses with `token_expired` or `token_invalid`. */
  readEvenRevoked(token: string, ofAnyAudience = false): AccessClaims {
    const { audience, keys, clock } = this.#options;
    const now = clock();
    if (keys.edition !== this.#edition) {
      this.#remembered.clear();
      this.#edition = keys.edition;
    }
    const known = this.#remembered.get(token);
    const { claims, keyEnds } = known ?? this.#check(token, now);
    // Every token that is remembered is for this service.
    const isOurs = known !== undefined || claims.aud === audience;
    if (!isOurs && !ofAnyAudience) throw invalid('for another service');
    if (now >= keyEnds) throw invalid('the key has expired');
    if (now >= claims.exp * 1_000) throw new Refusal('token_expired');
    if (known === undefined && isOurs) this.#remembered.set(token, { claims, keyEnds });
    return claims;
  }

  /** Checks that need not be repeated while the keys stay the same. */
  #check(token: string, now: number): Remembered {
    if (token.length > MAX_TOKEN_LENGTH) throw invalid('too long');
    const key = this.#options.keys.verifier('access', headerOf(token), now);
    if (key === undefined) throw invalid('unknown header');
    if (!isOurForm(token)) throw invalid('not in canonical form');
    let payload: unknown;
    try {
      payload = key.verify(token);
    } catch (error) {
      throw invalid((error as Error).message);
    }
    const { success, data: claims } = AccessClaims.safeParse(payload);
    // zod drops this name.
    if (!success || Object.hasOwn(payload as object, '__proto__'))
      throw invalid('missing, unknown or malformed claims');
    const latest = Math.floor(now / 1_000) + SKEW;
    if (claims.iat > latest) throw invalid('iat is in the future');
    if ((claims.nbf ?? 0) > latest) throw invalid('nbf is in the future');
    if (claims.exp - claims.iat > ACCESS_LIFE) throw invalid('lifetime too long');
    return { claims: deepFreeze(claims), keyEnds: key.notAfter };
  }
}

/** The reason is only logged: every invalid token gets the same answer. */
const invalid = (reason: string) => new Refusal('token_invalid', { reason });

/** JSON is no deeper than `custom-claims.ts` lets it be. */
function deepFreeze<T>(json: T): T {
  if (typeof json === 'object' && json !== null) Object.values(json).forEach(deepFreeze);
  return Object.freeze(json);
}
