import type { Context } from '../../../context.ts';
import type { Identity, Nonce } from '../../../rules/identities.ts';
import { Refusal } from '../../../rules/refusal.ts';
import type { GivenIdToken } from '../../../schemas/identity.ts';
import { lifeOf } from '../../tokens/life.ts';

/** Seconds. */
const LIFE = 600;

/** A nonce for an app, which gets it into an ID token and sends both here. Refuses with `not_found`. */
export function newNonce(context: Context, slot: string) {
  const { slot: sub } = context.providers.in(slot).settings;
  const claims = { sub, ...lifeOf(context, LIFE) };
  const nonce_token = context.ownTokens.issue('nonce', claims);
  return { nonce: claims.jti, nonce_token, expires_in: LIFE };
}

/** Whose ID token this is. The nonce is not used up yet. Refuses with `provider_refused`, `provider_unavailable` or `not_found`. */
export async function readIdToken(
  { providers, ownTokens }: Context,
  { provider: slot, id_token, nonce_token }: GivenIdToken,
): Promise<{ identity: Identity; nonce: Nonce }> {
  const provider = providers.in(slot);
  const claims = ownTokens.read('nonce', nonce_token);
  if (claims === undefined || claims.sub !== slot)
    throw new Refusal('provider_refused', {
      reason: 'the nonce token is not one for this provider',
    });
  const identity = await provider.identityIn(id_token, claims.jti);
  return { identity, nonce: { id: claims.jti, until: claims.exp * 1_000 } };
}
