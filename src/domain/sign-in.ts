import type { Context } from '../context.ts';
import type { User } from '../schemas/user.ts';
import { emailKey } from './accounts.ts';
import { Refusal } from './refusal.ts';
import { hasSecondFactor } from './second-factor.ts';
import { type SignIn, start } from './sessions.ts';
import { deviceOf, type Holder } from './token-pair.ts';

export interface Credentials {
  email: string;
  password: string;
  deviceToken: string | undefined;
}

/** Without a session: the password was right, and the second factor is still wanted. */
export type SignedIn = Holder | { user: User; device: string; session?: undefined };

/**
 * A new session for the owner of the password. Everybody else, whatever the cause, gets `invalid_credentials`
 * after the same work.
 */
export async function signInWithPassword(
  context: Context,
  credentials: Credentials,
  signIn: SignIn,
): Promise<SignedIn> {
  const { users, passwords, clock, sessionLimits } = context;
  const { email, password, deviceToken } = credentials;
  const found = await users.findByEmail(emailKey(email));
  const hash = found?.password_hash;
  const matches = await passwords.matches(hash, password);
  if (!found || !hash || !matches || found.status !== 'active') {
    throw new Refusal('invalid_credentials', {
      reason: found === undefined ? 'unknown address' : found.id,
    });
  }
  const fresher = passwords.isOutdated(hash) ? await passwords.hash(password) : hash;
  const started = await users.change<SignedIn | undefined>(found.id, (user) => {
    if (user.status !== 'active' || user.password_hash !== hash) return { user, result: undefined };
    const device = deviceOf(context, user, deviceToken);
    const rehashed = fresher === hash ? user : { ...user, password_hash: fresher };
    if (hasSecondFactor(user)) return { user: rehashed, result: { user: rehashed, device } };
    const now = clock();
    const result = start({ ...rehashed, last_login_at: now }, signIn, now, sessionLimits);
    return { user: result.user, result: { ...result, device } };
  });
  // The hash changed while this one was being checked (a new password, or new costs): look again.
  return started ?? signInWithPassword(context, credentials, signIn);
}
