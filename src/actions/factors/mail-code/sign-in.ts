import type { Context } from '../../../context.ts';
import { isMailCode } from '../../../parts/mail-codes/mail-code.ts';
import { emailKey } from '../../../rules/accounts.ts';
import { codeState, withCodesSpent, withCodeTried } from '../../../rules/mail-codes.ts';
import { hasBeenEntered, withMailboxProven } from '../../../rules/ownership.ts';
import { Refusal } from '../../../rules/refusal.ts';
import { hasSecondFactor } from '../../../rules/second-factor.ts';
import type { SignIn } from '../../../rules/sessions.ts';
import { isUnclaimed } from '../../../rules/unclaimed.ts';
import type { User } from '../../../schemas/user.ts';
import { tell } from '../../accounts/letters.ts';
import type { Source } from '../../sessions/sign-in.ts';
import {
  type Arrived,
  type HalfSignedIn,
  type Started,
  signedIn,
  startedFor,
} from '../../sessions/signed-in.ts';
import { deviceOf } from '../../tokens/token-pair.ts';

interface GivenCode {
  /** The half that the browser holds. */
  token: string;
  code: string;
  deviceToken: string | undefined;
}

/** `isTaken`: what someone else may have put into the account was removed. */
type Right = { outcome: HalfSignedIn | Started; isTaken: boolean };

/**
 * A new session, or, if the account has a second factor, the first half of a sign-in: the mailbox is proven, and no second factor.
 * Every code counts once. An unclaimed account belongs to the holder from then on, and they are told what was removed. Refuses with
 * `mail_code_refused`, after the same work whatever is wrong, or with `throttled`.
 */
export async function signInWithMailCode(
  context: Context,
  { token, code, deviceToken }: GivenCode,
  { signIn, source }: { signIn: SignIn; source: Source },
): Promise<Arrived> {
  const { users, ownTokens, guessing, keys, clock, sessionLimits } = context;
  const claims = ownTokens.read('mail-code', token);
  if (claims === undefined) throw new Refusal('mail_code_refused');
  const { sub, jti, iat, exp } = claims;
  const subject = await guessing.subjectAt(emailKey(sub));
  const { row } = subject;
  const known = deviceOf(context, row, deviceToken);
  const guess = await guessing.enter(subject, {
    factor: 'mail_code',
    place: known === undefined ? { prefix: source.prefix } : { device: known },
    signal: source.signal,
  });
  const isRight = (user: User) =>
    user.status === 'active' && isMailCode(keys, code, { jti, iat, state: codeState(user) });

  if (subject.address !== undefined) {
    await guess.settle('wrong');
    throw new Refusal('mail_code_refused');
  }
  const right = await users.change<Right | undefined>(guess.row, (user) => {
    const now = clock();
    const tried = withCodeTried(user, { id: jti, until: exp * 1_000, now });
    if (tried === undefined || !isRight(user))
      return { user: guess.withSettled(tried ?? user, 'wrong'), result: undefined };
    const spent = withCodesSpent(guess.withSettled(user, 'right'));
    const isDevice = deviceOf(context, user, deviceToken) !== undefined;
    const proven = withMailboxProven(spent, { now, isDevice });
    const device = deviceOf(context, proven, deviceToken);
    const isTaken = !isDevice && isUnclaimed(user) && hasBeenEntered(user);
    if (hasSecondFactor(proven))
      return {
        user: proven,
        result: { outcome: { user: proven, device, amr: signIn.amr }, isTaken },
      };
    const started = startedFor(user, proven, { signIn, device, now, limits: sessionLimits });
    return { user: started.user, result: { outcome: started, isTaken } };
  });
  if (right === undefined) throw new Refusal('mail_code_refused', { user: row.id });
  const { outcome, isTaken } = right;
  const who = outcome.session === undefined ? outcome : signedIn(context, outcome);
  if (!isTaken) return { who };
  tell(context, outcome.user, 'password.removed');
  return { who, event: 'password.removed' };
}
