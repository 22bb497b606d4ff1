import { randomBytes } from 'node:crypto';
import type { Context } from '../../../context.ts';
import { randomId } from '../../../parts/ids.ts';
import type { Identity } from '../../../rules/identities.ts';
import { Refusal } from '../../../rules/refusal.ts';
import type { AccessClaims } from '../../../schemas/claims.ts';
import { lifeOf } from '../../tokens/life.ts';

/** Seconds. */
export const REDIRECT_LIFE = 600;

/** The URL to which the provider sends the browser back. It is registered there. */
const callbackOf = ({ config }: Context, slot: string): string =>
  `${config.ISSUER}/v1/login/${slot}/callback`;

/** Of the caller who links an account. */
type Session = Pick<AccessClaims, 'sub' | 'sid' | 'ver'>;

interface Departure {
  slot: string;
  /** Where the browser goes in the end. */
  to: string;
  deviceToken?: string | undefined;
  /** The session that links the account at the provider; without it, a sign-in. */
  link?: Session;
}

/**
 * The URL of the provider, and the token that the browser keeps until it comes back. Refuses with `provider_unavailable` or
 * `not_found`.
 */
export async function depart(
  context: Context,
  { slot, to, deviceToken, link }: Departure,
): Promise<{ url: string; token: string }> {
  const { providers, ownTokens } = context;
  const { jti: state, iat, exp } = lifeOf(context, REDIRECT_LIFE);
  const nonce = randomId();
  const verifier = randomBytes(32).toString('base64url');
  const redirectUri = callbackOf(context, slot);
  const asked = { redirectUri, state, nonce, verifier };
  const url = await providers.in(slot).authorizationUrl(asked);
  // A cookie has room for a device token, not for anything that is sent as one.
  const device = deviceToken && ownTokens.read('device', deviceToken) ? deviceToken : undefined;
  const token = ownTokens.issue('provider', {
    sub: slot,
    jti: state,
    nonce,
    verifier,
    to,
    ...(device && { device }),
    ...(link && { link }),
    iat,
    exp,
  });
  return { url, token };
}

/** What `depart` has put into the token. */
export interface Journey extends Departure {
  state: string;
  nonce: string;
  verifier: string;
}

/**
 * Reads the token that `depart` has given to this browser. No other browser has it, so a link to the callback that is opened in
 * another one signs nobody in (RFC 9700 section 4.7.1). Refuses with `provider_refused`.
 */
export function journeyOf({ ownTokens }: Context, slot: string, token: string): Journey {
  const claims = ownTokens.read('provider', token);
  if (claims === undefined || claims.sub !== slot)
    throw new Refusal('provider_refused', { reason: 'no cookie of a sign-in with this provider' });
  const { jti: state, nonce, verifier, to, device, link } = claims;
  return { slot, state, nonce, verifier, to, deviceToken: device, ...(link && { link }) };
}

/** Who has signed in at the provider. `query`: what the provider sent. Refuses with `provider_refused` or `provider_unavailable`. */
export function comeBack(context: Context, journey: Journey, query: string): Promise<Identity> {
  const { slot, state, nonce, verifier } = journey;
  const url = new URL(callbackOf(context, slot));
  url.search = query;
  return context.providers.in(slot).redeem({ url, state, nonce, verifier });
}
