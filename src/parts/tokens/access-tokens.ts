import { LRUCache } from 'lru-cache';
import type { Clock } from '../../rules/clock.ts';
import { Refusal } from '../../rules/refusal.ts';
import { accessKeyOf, type Binding } from '../../rules/sessions.ts';
import { ACCESS_LIFE, AccessClaims } from '../../schemas/claims.ts';
import type { Session, User } from '../../schemas/user.ts';
import { randomId } from '../ids.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { Revocations } from '../revocations/revocations.ts';
import { headerOf, isOurForm, MAX_TOKEN_LENGTH } from './compact-jws.ts';

/** How far another node's clock may be ahead (seconds). */
const SKEW = 5;

/** Longer tokens exceed the header limits of some proxies and servers. */
const MAX_ISSUED_LENGTH = 1_024;

/**
 * Characters of all remembered tokens: some 14,000 of them. With its claims, a token takes about three times its length
 * in memory (bytes).
 */
const MAX_REMEMBERED = 8_000_000;

/** `client_id` of a person's tokens (required by RFC 9068 section 2.2). A service account has its own ID there. */
const FIRST_PARTY = 'latchkey';

interface Remembered {
  claims: AccessClaims;
  /** When its key expires (ms). */
  keyEnds: number;
}

interface Options {
  issuer: string;
  audience: string;
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
   * `scope`: the roles once more, for verifiers that read scopes (RFC 9068 section 2.2.3). A token that would exceed
   * 1 KB is issued without it. Throws an error that names the largest claim if even that token exceeds 1 KB.
   */
  issue(
    user: User,
    session: Pick<Session, 'id' | 'amr' | 'created_at' | 'authenticated_at'> & Binding,
    scope?: string | undefined,
  ): string {
    const { issuer, audience, keys, clock } = this.#options;
    const now = clock();
    const iat = Math.floor(now / 1_000);
    const jkt = accessKeyOf(session);
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
      auth_time: Math.floor((session.authenticated_at ?? session.created_at) / 1_000),
      ...(jkt !== undefined && { cnf: { jkt } }),
      ...(scope !== undefined && { scope }),
    };
    const token = keys.signer('access', now).sign(claims);
    if (token.length <= MAX_ISSUED_LENGTH) return token;
    if (scope !== undefined) return this.issue(user, session);
    throw new Error(`access token over 1 KB: ${largestOf(claims)} is large`);
  }

  /** The claims of a valid token. Refuses with `token_expired`, `token_revoked` or `token_invalid`. */
  read(token: string): AccessClaims {
    const claims = this.readEvenRevoked(token);
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
  readEvenRevoked(token: string): AccessClaims {
    const { keys, clock } = this.#options;
    const now = clock();
    if (keys.edition !== this.#edition) {
      this.#remembered.clear();
      this.#edition = keys.edition;
    }
    const known = this.#remembered.get(token);
    const { claims, keyEnds } = known ?? this.#check(token, now);
    if (now >= keyEnds) throw invalid('the key has expired');
    if (now >= claims.exp * 1_000) throw new Refusal('token_expired');
    if (known === undefined) this.#remembered.set(token, { claims, keyEnds });
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
    if (!success) throw invalid('missing, unknown or malformed claims');
    const latest = Math.floor(now / 1_000) + SKEW;
    if (claims.iat > latest) throw invalid('iat is in the future');
    if ((claims.nbf ?? 0) > latest) throw invalid('nbf is in the future');
    if (claims.exp - claims.iat > ACCESS_LIFE) throw invalid('lifetime too long');
    return { claims: deepFreeze(claims), keyEnds: key.notAfter };
  }
}

/** The reason is only logged: every invalid token gets the same answer. */
const invalid = (reason: string) => new Refusal('token_invalid', { reason });

function deepFreeze(claims: AccessClaims): AccessClaims {
  Object.freeze(claims.roles);
  Object.freeze(claims.amr);
  Object.freeze(claims.cnf);
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
