import type { Secret } from 'otpauth';
import type { Context } from '../../../context.ts';
import { newRecoveryCodes } from '../../../parts/second-factor/recovery-codes.ts';
import { newTotp, withCodeSpent } from '../../../parts/second-factor/totp.ts';
import { FACTORS } from '../../../rules/factors/factors.ts';
import { Refusal } from '../../../rules/refusal.ts';
import { MFA } from '../../../rules/second-factor.ts';
import { withOtherSessionsEnded } from '../../../rules/sessions.ts';
import type { AccessClaims } from '../../../schemas/claims.ts';
import type { User } from '../../../schemas/user.ts';
import { changeCaller, type GivenPassword, proveCaller } from '../../accounts/caller.ts';
import { tell } from '../../accounts/letters.ts';
import { assertMailboxProven } from '../../accounts/mailbox-proof.ts';

/** A TOTP secret, pending until confirmed with a code. Refuses with `wrong_password`, `throttled`, `email_unverified` or `mfa_enabled`. */
export async function beginEnrolment(
  context: Context,
  caller: AccessClaims,
  password: GivenPassword,
): Promise<{ user: User; secret: Secret }> {
  await proveCaller(context, caller, password);
  return changeCaller(context, caller, (user, now) => {
    assertMailboxProven(user);
    if (user.mfa.totp !== undefined) throw new Refusal('mfa_enabled');
    const { secret, pending } = newTotp(context.keys, user, now);
    return { user: { ...user, mfa: { ...user.mfa, pending } }, result: { user, secret } };
  });
}

/** Wrong codes after which a pending secret is dropped. */
const TRIES = 5;

type Pending = NonNullable<User['mfa']['pending']>;

/** Refuses with `email_unverified`, with `mfa_enabled`, or with `mfa_not_enabled` if no secret is pending. */
function pendingOf(user: User): Pending {
  const { totp, pending } = user.mfa;
  // Older versions began an enrolment without it.
  assertMailboxProven(user);
  if (totp !== undefined) throw new Refusal('mfa_enabled');
  if (pending === undefined)
    throw new Refusal('mfa_not_enabled', {
      detail: 'No secret to confirm. Begin again with POST /v1/me/mfa/totp.',
    });
  return pending;
}

/** undefined after the last try: the owner must begin again with the password. */
const withWrongCodeCounted = (pending: Pending): Pending | undefined => {
  const tries = (pending.tries ?? 0) + 1;
  return tries < TRIES ? { ...pending, tries } : undefined;
};

/** The pending secret, and the same with the step of this code spent. A wrong code is counted. */
async function guessPending(context: Context, caller: AccessClaims, code: string) {
  const proven = await changeCaller(context, caller, (user, now) => {
    const pending = pendingOf(user);
    const { tries: _tries, ...totp } = pending;
    const accepted = withCodeSpent(context.keys, { totp, code, userId: user.id, now });
    if (accepted !== undefined) return { user, result: { pending, accepted } };
    const { pending: _pending, ...mfa } = user.mfa;
    const left = withWrongCodeCounted(pending);
    return {
      user: { ...user, mfa: { ...mfa, ...(left && { pending: left }) } },
      result: undefined,
    };
  });
  if (proven === undefined) throw new Refusal('wrong_code');
  return proven;
}

/**
 * Enables the second factor with one right code, and returns ten recovery codes. Every other session ends: only this
 * one has proven the factor. Refuses with `wrong_code` (the fifth drops the pending secret), `mfa_not_enabled` or
 * `mfa_enabled`.
 */
export async function confirmEnrolment(
  context: Context,
  caller: AccessClaims,
  code: string,
): Promise<string[]> {
  const { pending, accepted: totp } = await guessPending(context, caller, code);
  // Ten hashes: not for a wrong code.
  const { codes, recovery } = await newRecoveryCodes(context.passwords);
  const user = await changeCaller(context, caller, (before, now) => {
    // It may have been dropped or replaced in the meantime.
    if (pendingOf(before).secret !== pending.secret) throw new Refusal('wrong_code');
    const sessions = before.sessions.map((session) =>
      session.id === caller.sid
        ? { ...session, amr: [...new Set([...session.amr, ...FACTORS.totp.amr, MFA])] }
        : session,
    );
    const { pending: _pending, ...mfa } = before.mfa;
    const enrolled = { ...before, sessions, mfa: { ...mfa, totp, recovery } };
    return { user: withOtherSessionsEnded(enrolled, caller.sid, now), result: before };
  });
  tell(context, user, 'mfa.enabled');
  return codes;
}
