import type { Secret } from 'otpauth';
import type { Context } from '../../context.ts';
import {
  enrol,
  newRecoveryCodes,
  type Proof,
  withCodeSpent,
} from '../../parts/second-factor/second-factor.ts';
import { Refusal } from '../../rules/refusal.ts';
import { hasSecondFactor } from '../../rules/second-factor.ts';
import { withOtherSessionsEnded } from '../../rules/sessions.ts';
import type { AccessClaims } from '../../schemas/claims.ts';
import type { User } from '../../schemas/user.ts';
import { changeCaller, provenCaller } from '../accounts/caller.ts';
import { tell } from '../accounts/letters.ts';
import { guessProof, hashOfProof } from './challenge.ts';

/** What removing or renewing a factor needs. */
export interface FullProof {
  password: string;
  proof: Proof;
  signal: AbortSignal;
}

/** A secret to scan; it counts for nothing until a code has proven it. Refuses with `wrong_password`, `mfa_enabled`. */
export async function beginEnrolment(
  context: Context,
  caller: AccessClaims,
  password: string,
  signal: AbortSignal,
): Promise<{ user: User; secret: Secret }> {
  await provenCaller(context, caller, password, signal);
  return changeCaller(context, caller, (user, now) => {
    if (user.mfa.totp !== undefined) throw new Refusal('mfa_enabled');
    const { secret, pending } = enrol(context.keys, user, now);
    return { user: { ...user, mfa: { ...user.mfa, pending } }, result: { user, secret } };
  });
}

/** Wrong codes that a pending secret bears. */
const TRIES = 5;

type Pending = NonNullable<User['mfa']['pending']>;

/** The secret that waits for its first code. Refuses with `mfa_enabled`, `mfa_not_enabled`. */
function pendingOf({ mfa: { totp, pending } }: User): Pending {
  if (totp !== undefined) throw new Refusal('mfa_enabled');
  if (pending === undefined)
    throw new Refusal('mfa_not_enabled', {
      detail: 'There is no secret to confirm. Begin again with POST /v1/me/mfa/totp.',
    });
  return pending;
}

/** With one more wrong code the secret stays, with the last one it goes: its owner begins again, with the password. */
const withWrongCode = (pending: Pending): Pending | undefined => {
  const tries = (pending.tries ?? 0) + 1;
  return tries < TRIES ? { ...pending, tries } : undefined;
};

/** The pending secret, and the same with the step of this code used up. A wrong code is counted in the write that refuses it. */
async function guessPending(context: Context, caller: AccessClaims, code: string) {
  const proven = await changeCaller(context, caller, (user, now) => {
    const pending = pendingOf(user);
    const accepted = withCodeSpent(context.keys, user, pending, code, now);
    if (accepted !== undefined) return { user, result: { pending, accepted } };
    const { pending: _pending, ...mfa } = user.mfa;
    const left = withWrongCode(pending);
    return {
      user: { ...user, mfa: { ...mfa, ...(left && { pending: left }) } },
      result: undefined,
    };
  });
  if (proven === undefined) throw new Refusal('wrong_code');
  return proven;
}

/**
 * Puts the pending secret into force with one right code, and answers ten recovery codes. Sessions that never
 * showed the factor end; this one has just shown it. Refuses with `wrong_code`, which the fifth time drops the
 * secret, then with `mfa_not_enabled`; with `mfa_enabled` where a factor is in force.
 */
export async function confirmEnrolment(
  context: Context,
  caller: AccessClaims,
  code: string,
): Promise<string[]> {
  const { pending, accepted: totp } = await guessPending(context, caller, code);
  // The codes cost ten hashes: not before the proof is right.
  const { codes, recovery } = await newRecoveryCodes(context.passwords);
  const user = await changeCaller(context, caller, (before, now) => {
    // Meanwhile it may have gone, or another may have come in its place.
    if (pendingOf(before).secret !== pending.secret) throw new Refusal('wrong_code');
    const sessions = before.sessions.map((session) =>
      session.id === caller.sid
        ? { ...session, amr: [...new Set([...session.amr, 'otp', 'mfa'])] }
        : session,
    );
    const { challenges } = before.mfa;
    const enrolled = { ...before, sessions, mfa: { totp, recovery, challenges } };
    return { user: withOtherSessionsEnded(enrolled, caller.sid, now), result: before };
  });
  tell(context, user, 'mfa.enabled');
  return codes;
}

/**
 * Spends a proof of the factor in force, and changes the row with it. `prepare` makes what the change needs, once
 * the proof is right. Refuses with `wrong_password`, `wrong_code`, `mfa_not_enabled`.
 */
async function withProof<T>(
  context: Context,
  caller: AccessClaims,
  { password, proof, signal }: FullProof,
  {
    prepare,
    decide,
  }: { prepare: () => Promise<T>; decide: (user: User, prepared: T, now: number) => User },
): Promise<{ user: User; prepared: T }> {
  const proven = await provenCaller(context, caller, password, signal);
  if (!hasSecondFactor(proven)) throw new Refusal('mfa_not_enabled');
  const hash = await hashOfProof(context, proven, proof, { signal });
  const place = { session: caller.sid };
  const isRight = await changeCaller(context, caller, (user) => {
    const { spent, counted } = guessProof(context, user, { proof, hash, place });
    return { user: spent ? { ...counted, mfa: spent } : counted, result: spent !== undefined };
  });
  if (!isRight) throw new Refusal('wrong_code');
  const prepared = await prepare();
  return changeCaller(context, caller, (user, now) => {
    // It may have gone meanwhile.
    if (!hasSecondFactor(user)) throw new Refusal('mfa_not_enabled');
    return { user: decide(user, prepared, now), result: { user, prepared } };
  });
}

/** The password alone signs in again; every other session ends. */
export async function removeFactor(
  context: Context,
  caller: AccessClaims,
  proof: FullProof,
): Promise<void> {
  const { user } = await withProof(context, caller, proof, {
    prepare: async () => {},
    decide: (before, _prepared, now) =>
      withOtherSessionsEnded({ ...before, mfa: { challenges: [] } }, caller.sid, now),
  });
  tell(context, user, 'mfa.disabled');
}

/** A new set; the old one no longer works. */
export async function renewRecoveryCodes(
  context: Context,
  caller: AccessClaims,
  proof: FullProof,
): Promise<string[]> {
  const { user, prepared } = await withProof(context, caller, proof, {
    prepare: () => newRecoveryCodes(context.passwords),
    decide: (before, { recovery }) => ({ ...before, mfa: { ...before.mfa, recovery } }),
  });
  tell(context, user, 'mfa.recovery_codes_renewed');
  return prepared.codes;
}
