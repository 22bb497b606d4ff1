import type { Context } from '../context.ts';
import type { Session, User } from '../schemas/user.ts';
import { emailKey } from './accounts.ts';
import { Refusal } from './refusal.ts';
import { type SignIn, start } from './sessions.ts';

export interface Credentials {
  email: string;
  password: string;
}

/**
 * A new session for the owner of the password. Everybody else, whatever the cause, gets `invalid_credentials`
 * after the same work.
 */
export async function signInWithPassword(
  context: Context,
  { email, password }: Credentials,
  signIn: SignIn,
): Promise<{ user: User; session: Session }> {
  const { users, passwords, clock, sessionLimits } = context;
  const found = await users.findByEmail(emailKey(email));
  const hash = found?.password_hash;
  const matches = await passwords.matches(hash, password);
  if (!found || !hash || !matches || found.status !== 'active') {
    throw new Refusal('invalid_credentials', {
      reason: found === undefined ? 'unknown address' : found.id,
    });
  }
  const fresher = passwords.isOutdated(hash) ? await passwords.hash(password) : hash;
  const started = await users.change(found.id, (user) => {
    if (user.status !== 'active' || user.password_hash !== hash) return { user, result: undefined };
    const now = clock();
    const result = start(
      { ...user, password_hash: fresher, last_login_at: now },
      signIn,
      now,
      sessionLimits,
    );
    return { user: result.user, result };
  });
  // The hash changed while this one was being checked (a new password, or new costs): look again.
  return started ?? signInWithPassword(context, { email, password }, signIn);
}
