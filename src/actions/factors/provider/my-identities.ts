import type { Context } from '../../../context.ts';
import { IdentityTaken } from '../../../parts/storage/users.ts';
import { isLinked, issuerIn } from '../../../rules/factors/provider.ts';
import {
  type Identity,
  type Nonce,
  withIdentity,
  withNonceUsed,
  withoutIdentity,
} from '../../../rules/identities.ts';
import { Refusal } from '../../../rules/refusal.ts';
import { withChallengesVoid } from '../../../rules/second-factor.ts';
import { withOtherSessionsEnded } from '../../../rules/sessions.ts';
import type { AccessClaims } from '../../../schemas/claims.ts';
import type { IdentityView } from '../../../schemas/identity.ts';
import { isSlot, SLOTS } from '../../../schemas/slots.ts';
import type { User } from '../../../schemas/user.ts';
import { changeCaller, readCaller } from '../../accounts/caller.ts';
import { tell } from '../../accounts/letters.ts';
import { assertMailboxProven } from '../../accounts/mailbox-proof.ts';
import { assertRecent } from '../../accounts/recent.ts';
import { depart } from './redirect.ts';

/** Every provider that is configured, or that the user was linked with when it was. */
export const identitiesOf = ({ providers }: Pick<Context, 'providers'>, user: User) =>
  SLOTS.flatMap((provider): IdentityView[] => {
    const key = user[`identity_${provider}`];
    const name = providers.nameIn(provider) ?? (isLinked(key) ? issuerIn(key) : undefined);
    return name === undefined ? [] : [{ provider, name, linked: isLinked(key) }];
  });

/** Sends the browser of the caller to the provider. Refuses with `step_up_required`, `email_unverified`, `provider_unavailable` or `not_found`. */
export async function departToLink(
  context: Context,
  caller: AccessClaims,
  { slot, to }: { slot: string; to: string },
): Promise<{ url: string; token: string }> {
  await assertRecent(context, caller);
  assertMailboxProven(await readCaller(context, caller));
  const { sub, sid, ver } = caller;
  return depart(context, { slot, to, link: { sub, sid, ver } });
}

/**
 * Links an account of the caller at a provider, and tells the owner. `isNew`: it was not linked before. Refuses with
 * `identity_taken`, `provider_refused` or `email_unverified`.
 */
export async function linkIdentity(
  context: Context,
  caller: Pick<AccessClaims, 'sub' | 'sid' | 'ver'>,
  { identity, nonce }: { identity: Identity; nonce?: Nonce },
): Promise<{ user: User; isNew: boolean }> {
  try {
    const linked = await changeCaller(context, caller, (before, now) => {
      assertMailboxProven(before);
      const user = withNonceUsed(withIdentity(before, identity), nonce, now);
      return { user, result: { user, isNew: !isLinked(before[identity.column]) } };
    });
    if (linked.isNew) tell(context, linked.user, 'identity.linked');
    return linked;
  } catch (error) {
    throw error instanceof IdentityTaken ? new Refusal('identity_taken') : error;
  }
}

/** Ends the other sessions and half-finished sign-ins, which may have begun there, and tells the owner. Refuses with `not_found`, `last_way_in` or `step_up_required`. */
export async function unlinkIdentity(
  context: Context,
  caller: AccessClaims,
  slot: string,
): Promise<void> {
  await assertRecent(context, caller);
  if (!isSlot(slot)) throw new Refusal('not_found');
  const user = await changeCaller(context, caller, (before, now) => {
    const unlinked = withoutIdentity(before, `identity_${slot}`, context.providers.issuers);
    const next = withOtherSessionsEnded(withChallengesVoid(unlinked, now), caller.sid, now);
    return { user: next, result: before };
  });
  tell(context, user, 'identity.unlinked');
}
