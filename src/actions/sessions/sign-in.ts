import type { Context } from '../../context.ts';
import { checked } from '../../parts/guessing/guessing.ts';
import { emailKey } from '../../rules/accounts.ts';
import { Refusal } from '../../rules/refusal.ts';
import { hasSecondFactor } from '../../rules/second-factor.ts';
import type { SignIn } from '../../rules/sessions.ts';
import { checkPassword } from '../accounts/check-password.ts';
import { deviceOf, type Holder } from '../tokens/token-pair.ts';
import { type HalfSignedIn, type Started, signedIn, startedFor } from './signed-in.ts';

/** Where a request comes from. */
export interface Source {
  /** IPv4 address, or IPv6 /64. */
  prefix: string;
  /** Aborted when the client has gone. */
  signal: AbortSignal;
}

export interface Credentials {
  email: string;
  password: string;
  deviceToken: string | undefined;
}

/**
 * A new session, or, if the account has a second factor, the first half of a sign-in. Refuses with
 * `invalid_credentials`, after the same work whatever is wrong, or with `throttled` after too many guesses.
 */
export async function signInWithPassword(
  context: Context,
  credentials: Credentials,
  { signIn, source }: { signIn: SignIn; source: Source },
): Promise<Holder | HalfSignedIn> {
  const { users, passwords, clock, sessionLimits, guessing } = context;
  const { email, password, deviceToken } = credentials;
  const subject = await guessing.subjectAt(emailKey(email));
  const found = subject.address === undefined ? subject.row : undefined;
  const device = deviceOf(context, found, deviceToken);
  const turn = { signal: source.signal, stranger: device === undefined };
  // First: in a flood the two writes that count a guess would cost more than the hash.
  passwords.assertRoom(turn);
  const guess = await guessing.enter(subject, {
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

  // If there is no room for another hash, the next sign-in renews it.
  const fresher = verdict === 'outdated' ? await passwords.hash(password).catch(() => hash) : hash;
  const result = await users.change<Started | HalfSignedIn | undefined>(guess.row, (user) => {
    const settled = guess.withSettled(user, 'right');
    // The hash changed while this password was being checked: check again.
    if (user.status !== 'active' || user.password_hash !== hash)
      return { user: settled, result: undefined };
    const rehashed = { ...settled, password_hash: fresher };
    if (hasSecondFactor(user)) return { user: rehashed, result: { user: rehashed, device } };
    const start = { signIn, device, now: clock(), limits: sessionLimits };
    const started = startedFor(user, rehashed, start);
    return { user: started.user, result: started };
  });
  if (result === undefined) return signInWithPassword(context, credentials, { signIn, source });
  return result.session === undefined ? result : signedIn(context, result);
}
