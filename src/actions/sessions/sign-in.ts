import type { Context } from '../../context.ts';
import { checked } from '../../parts/guessing/guessing.ts';
import { randomId } from '../../parts/ids.ts';
import { emailKey } from '../../rules/accounts.ts';
import { Refusal } from '../../rules/refusal.ts';
import { hasSecondFactor } from '../../rules/second-factor.ts';
import { type SignIn, withNewSession } from '../../rules/sessions.ts';
import type { User } from '../../schemas/user.ts';
import { checkPassword } from '../accounts/check-password.ts';
import { type Holder, provenDevice } from '../tokens/token-pair.ts';

/** Where a request comes from, and whether its sender still waits. */
export interface Source {
  /** IPv4 address, or IPv6 /64. */
  prefix: string;
  signal: AbortSignal;
}

export interface Credentials {
  email: string;
  password: string;
  deviceToken: string | undefined;
}

/** The password was right, and the second factor is still wanted. `device`: only if its token proved it. */
export interface HalfSignedIn {
  user: User;
  session?: undefined;
  device: string | undefined;
}

/**
 * A new session for the owner of the password. Everybody else, whatever the cause, gets `invalid_credentials`
 * after the same work; whoever guesses too often, `throttled`.
 */
export async function signInWithPassword(
  context: Context,
  credentials: Credentials,
  { signIn, source }: { signIn: SignIn; source: Source },
): Promise<Holder | HalfSignedIn> {
  const { users, passwords, clock, sessionLimits, guessing } = context;
  const { email, password, deviceToken } = credentials;
  const found = await users.findByEmail(emailKey(email));
  const device = provenDevice(context, found, deviceToken);
  const turn = { signal: source.signal, stranger: device === undefined };
  // Before the guess is counted: in a flood its two writes cost more than the hash that is not made.
  passwords.assertRoom(turn);
  const guess = await guessing.enter(found ? { user: found } : { unknown: emailKey(email) }, {
    factor: 'password',
    place: device === undefined ? { prefix: source.prefix } : { device },
    signal: source.signal,
  });

  const hash = found?.password_hash;
  const verdict = await checked(guess, checkPassword(context, found, password, turn));
  if (!found || !hash || verdict === 'wrong' || found.status !== 'active') {
    await guess.settle('wrong');
    throw new Refusal('invalid_credentials', { user: found?.id });
  }

  // Only while there is room: the password was right, and the next sign-in is soon enough.
  const fresher = verdict === 'outdated' ? await passwords.hash(password).catch(() => hash) : hash;
  const result = await users.change<Holder | HalfSignedIn | undefined>(found.id, (user) => {
    const settled = guess.withSettled(user, 'right');
    // A new password, or new costs, while this one was being checked: look again.
    if (user.status !== 'active' || user.password_hash !== hash)
      return { user: settled, result: undefined };
    const rehashed = { ...settled, password_hash: fresher };
    if (hasSecondFactor(user)) return { user: rehashed, result: { user: rehashed, device } };
    const now = clock();
    const started = withNewSession({ ...rehashed, last_login_at: now }, signIn, now, sessionLimits);
    return { user: started.user, result: { ...started, device: device ?? randomId() } };
  });
  return result ?? signInWithPassword(context, credentials, { signIn, source });
}
