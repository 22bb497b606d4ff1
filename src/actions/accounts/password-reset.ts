import type { Context } from '../../context.ts';
import { reset } from '../../parts/mail/messages/reset.ts';
import { emailKey } from '../../rules/accounts.ts';
import { withMailboxHolder } from '../../rules/ownership.ts';
import { Refusal } from '../../rules/refusal.ts';
import { withEverySessionEnded } from '../../rules/sessions.ts';
import { withoutFailures } from '../../rules/throttle.ts';
import type { User } from '../../schemas/user.ts';
import { mayReset, resetToken } from '../tokens/mailed-tokens.ts';
import { countLetter, tell } from './letters.ts';
import { hashNewPassword } from './new-password.ts';

/**
 * Mails a reset link, which replaces older ones. If the mailbox has had enough letters, none is sent and the last
 * link stays valid. One row is written for any address, so that the caller cannot tell whether there is an account.
 */
export async function mailReset(
  context: Context,
  { email, network }: { email: string; network: string },
): Promise<void> {
  const { users, guessing, outbox, config } = context;
  const user = await users.findByEmail(emailKey(email));
  const to = user?.status === 'active' ? user.email : null;
  const isSent = to !== null && countLetter(context, { occasion: 'reset', email: to, network });
  if (user === undefined || !isSent) return guessing.touchDecoy(emailKey(email));
  const next = await users.change(user.id, (row) => {
    const counted = { ...row, reset_letters: row.reset_letters + 1 };
    return { user: counted, result: counted };
  });
  // The account may be gone, or its address changed, in the meantime.
  if (next?.email === to) outbox.post(to, () => reset(config.APP_URL, resetToken(context, next)));
}

/**
 * Sets the password and ends every session; does not sign in. If a stranger may have made the account, or given it this
 * address, its second factor, passkeys and linked providers are removed too, and older device tokens are no longer known.
 * Refuses with `link_invalid`.
 */
export async function resetPassword(
  context: Context,
  { token, password }: { token: string; password: string },
  signal: AbortSignal,
): Promise<User> {
  const { ownTokens, users, clock } = context;
  const claims = ownTokens.read('reset', token);
  const found = claims && (await users.findById(claims.sub));
  const isValid = (user: User) => claims !== undefined && mayReset(user, claims.was);
  if (found === undefined || !isValid(found)) throw new Refusal('link_invalid');
  const { email } = found;
  const password_hash = await hashNewPassword(context, {
    password,
    email,
    path: '/password',
    owner: found,
    signal,
  });
  const changed = await users.change(found.id, (user) => {
    if (!isValid(user)) throw new Refusal('link_invalid');
    const now = clock();
    const next: User = {
      ...withMailboxHolder(user, now),
      password_hash,
      // The owner of the mailbox need not wait because of wrong passwords. The second factor was not proven.
      throttle: withoutFailures(user.throttle, 'password'),
    };
    const changed = withEverySessionEnded(next, now);
    return { user: changed, result: changed };
  });
  if (changed === undefined) throw new Refusal('link_invalid');
  tell(context, changed, 'password.changed');
  return changed;
}
