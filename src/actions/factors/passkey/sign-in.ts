import type { Context } from '../../../context.ts';
import { Refusal } from '../../../rules/refusal.ts';
import type { SignIn } from '../../../rules/sessions.ts';
import type { Assertion } from '../../../schemas/webauthn.ts';
import { type Started, signedIn, startedFor } from '../../sessions/signed-in.ts';
import { deviceOf, type Holder } from '../../tokens/token-pair.ts';
import { namedUser } from './challenge.ts';
import { prepareAssertion } from './passkey.ts';

/**
 * A new session for the user whom the passkey names. No second factor is asked: the authenticator has checked its user.
 * Refuses with `passkey_refused` whatever is wrong, or with `passkey_copied`.
 */
export async function signInWithPasskey(
  context: Context,
  { assertion, deviceToken }: { assertion: Assertion; deviceToken: string | undefined },
  signIn: SignIn,
): Promise<Holder> {
  const { users, clock, sessionLimits } = context;
  const id = namedUser(assertion);
  const user = await users.findById(id);
  const found = user?.status === 'active' ? user : undefined;
  const device = deviceOf(context, found, deviceToken);
  const check = await prepareAssertion(context, { user: found, given: assertion });
  const signed = await users.change<Started | undefined>(found ?? '', (row) => {
    const now = clock();
    const used = row.status === 'active' ? check(row, now) : undefined;
    if (used === undefined) return { user: row, result: undefined };
    const started = startedFor(row, used, { signIn, device, now, limits: sessionLimits });
    return { user: started.user, result: started };
  });
  if (signed === undefined) throw new Refusal('passkey_refused', { user: found?.id });
  return signedIn(context, signed);
}
