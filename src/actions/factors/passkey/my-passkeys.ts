import type { Context } from '../../../context.ts';
import { withoutPasskey, withPasskey, withPasskeyNamed } from '../../../rules/passkeys.ts';
import { Refusal } from '../../../rules/refusal.ts';
import { withOtherSessionsEnded } from '../../../rules/sessions.ts';
import type { AccessClaims } from '../../../schemas/claims.ts';
import type { Passkey } from '../../../schemas/user.ts';
import type { Registration } from '../../../schemas/webauthn.ts';
import { changeCaller, readCaller } from '../../accounts/caller.ts';
import { tell } from '../../accounts/letters.ts';
import { assertMailboxProven } from '../../accounts/mailbox-proof.ts';
import { assertRecent } from '../../accounts/recent.ts';
import { answersCreation, creationOptions } from './challenge.ts';

/** Refuses with `step_up_required` or `email_unverified`. */
export async function beginPasskey(context: Context, caller: AccessClaims) {
  await assertRecent(context, caller);
  const user = await readCaller(context, caller);
  assertMailboxProven(user);
  return creationOptions(context, user, caller.sid);
}

/** Tells the owner. Refuses with `passkey_invalid`, `too_many_passkeys`, `email_unverified` or `step_up_required`. */
export async function addPasskey(
  context: Context,
  caller: AccessClaims,
  { registration, name }: { registration: Registration; name: string },
): Promise<Passkey> {
  await assertRecent(context, caller);
  if (!answersCreation(context, registration, caller)) throw new Refusal('passkey_invalid');
  const verified = await context.passkeys.verifyNew(registration);
  if (verified === undefined) throw new Refusal('passkey_invalid');
  const { transports } = registration.response;
  const { user, passkey } = await changeCaller(context, caller, (before, created_at) => {
    assertMailboxProven(before);
    const made = { ...verified, transports, name, created_at, used: [] };
    return { user: withPasskey(before, made), result: { user: before, passkey: made } };
  });
  tell(context, user, 'passkey.added');
  return passkey;
}

/** Refuses with `not_found` or `step_up_required`. */
export async function renamePasskey(
  context: Context,
  caller: AccessClaims,
  named: { id: string; name: string },
): Promise<Passkey> {
  await assertRecent(context, caller);
  return changeCaller(context, caller, (before) => {
    const { user, passkey } = withPasskeyNamed(before, named);
    return { user, result: passkey };
  });
}

/** Ends the other sessions, one of which may have begun with it, and tells the owner. Refuses with `not_found`, `last_way_in` or `step_up_required`. */
export async function removePasskey(
  context: Context,
  caller: AccessClaims,
  id: string,
): Promise<void> {
  await assertRecent(context, caller);
  const user = await changeCaller(context, caller, (before, now) => {
    const removed = withoutPasskey(before, id, context.providers.issuers);
    return { user: withOtherSessionsEnded(removed, caller.sid, now), result: before };
  });
  tell(context, user, 'passkey.removed');
}
