import type { JWTVerifyGetKey } from 'jose';
import { Refusal } from '../../rules/refusal.ts';

/** Milliseconds. */
export const TIMEOUT = 5_000;
/** Between two looks at the provider's keys (ms): anyone can send a token that names an unknown one. */
const COOLDOWN = 1_000;
/** Seconds that the clock of the provider may differ. */
const SKEW = 30;
/** Seconds. An ID token is sent here at once. */
const MAX_AGE = 600;

/** Signed with a key of the provider: no `none`, and no secret that both sides know. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

interface Expected {
  issuer: string;
  /** To one of whom it was issued. */
  audiences: string[];
  nonce: string;
  now: number;
}

/** Checks ID tokens with the keys of a provider, which are fetched again when a token names an unknown one. */
export class IdTokens {
  readonly #uri: URL;
  #keys: JWTVerifyGetKey | undefined;

  constructor(uri: URL) {
    this.#uri = uri;
  }

  /**
   * The claims of an ID token (OpenID Connect Core section 3.1.3.7): signature, issuer, audience, times and nonce. Throws what
   * `jose` throws, or `provider_refused`.
   */
  async verify(token: string, { issuer, audiences, nonce, now }: Expected) {
    const { createRemoteJWKSet, jwtVerify } = await import('jose');
    this.#keys ??= createRemoteJWKSet(this.#uri, {
      timeoutDuration: TIMEOUT,
      cooldownDuration: COOLDOWN,
    });
    const { payload } = await jwtVerify(token, this.#keys, {
      issuer,
      audience: audiences,
      algorithms: ALGORITHMS,
      currentDate: new Date(now),
      clockTolerance: SKEW,
      maxTokenAge: MAX_AGE,
      requiredClaims: ['sub', 'exp', 'nonce'],
    });
    // One of several audiences could have got it, and send it here. No provider needs that.
    if (Array.isArray(payload.aud) && payload.aud.length > 1)
      throw new Refusal('provider_refused', { reason: 'the ID token has several audiences' });
    if (payload['nonce'] !== nonce)
      throw new Refusal('provider_refused', { reason: 'the nonce is another one' });
    return payload;
  }
}
