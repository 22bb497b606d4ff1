import type { Context } from '../../context.ts';
import { reset } from '../../mail/messages/reset.ts';
import type { User } from '../../schemas/user.ts';
import { forgiven } from '../guessing/throttle.ts';
import { hashNewPassword } from '../passwords/new-password.ts';
import { Refusal } from '../refusal.ts';
import { endAll } from '../sessions/sessions.ts';
import { resetState, resetToken } from '../tokens/mailed-tokens.ts';
import { emailKey } from './accounts.ts';
import { postLimited, tell } from './letters.ts';

/** Mails a reset link to the owner of an account. The caller cannot tell whether there is one. */
export async function mailReset(context: Context, email: string): Promise<void> {
  const user = await context.users.findByEmail(emailKey(email));
  if (user?.status !== 'active' || user.email === null) return;
  const limit = { occasion: 'reset' as const, email: user.email };
  postLimited(context, limit, () => reset(context.config.APP_URL, resetToken(context, user)));
}

/**
 * Sets the password, ends every session, signs nobody in. Whoever made the account without ever proving its
 * mailbox loses it here: his second factor goes too. Refuses with `link_invalid`.
 */
export async function resetPassword(
  context: Context,
  { token, password }: { token: string; password: string },
  signal: AbortSignal,
): Promise<User> {
  const { ownTokens, users, clock } = context;
  const claims = ownTokens.read('reset', token);
  const found = claims && (await users.findById(claims.sub));
  const holds = (user: User) => user.status === 'active' && resetState(user) === claims?.was;
  if (found === undefined || !holds(found)) throw new Refusal('link_invalid');
  const { email } = found;
  const password_hash = await hashNewPassword(context, {
    password,
    email,
    path: '/password',
    signal,
  });
  const changed = await users.change(found.id, (user) => {
    if (!holds(user)) throw new Refusal('link_invalid');
    const now = clock();
    const proven = user.email_verified_at !== null;
    const mfa = proven ? user.mfa : { challenges: [] };
    const next: User = {
      ...user,
      password_hash,
      // Whoever reads the mailbox need not wait for those who guessed the password; of the factor he proved nothing.
      throttle: forgiven(user.throttle, 'password'),
      mfa,
      email_verified_at: user.email_verified_at ?? now,
    };
    const ended = endAll(next, now);
    return { user: ended, result: ended };
  });
  if (changed === undefined) throw new Refusal('link_invalid');
  tell(context, changed, 'password.changed');
  return changed;
}
