import type { Context } from '../../context.ts';
import { throttled } from '../../parts/guessing/guessing.ts';
import { randomId } from '../../parts/ids.ts';
import type { KeyRing } from '../../parts/keys/key-ring.ts';
import type { Turn } from '../../parts/passwords/hash-queue.ts';
import {
  hashRecoveryCode,
  type Proof,
  withCodeSpent,
  withRecoveryHashSpent,
} from '../../parts/second-factor/second-factor.ts';
import { budgetOf, type Place } from '../../rules/budget.ts';
import { Refusal } from '../../rules/refusal.ts';
import { type SignIn, withNewSession } from '../../rules/sessions.ts';
import { admit, withGuessSettled } from '../../rules/throttle.ts';
import type { Mfa, Session, User } from '../../schemas/user.ts';
import { tell } from '../accounts/letters.ts';
import type { HalfSignedIn, Source } from '../sessions/sign-in.ts';
import { passwordState } from '../tokens/mailed-tokens.ts';
import type { Holder } from '../tokens/token-pair.ts';

/** Seconds. */
export const CHALLENGE_LIFE = 300;

const TRIES = 5;
const MAX_CHALLENGES = 20;

/** The `mfa` token: the password was right, and the second factor is still required. */
export function issueChallenge(
  { ownTokens, clock }: Context,
  { user, device, transport }: HalfSignedIn & { transport: Session['transport'] },
): string {
  const iat = Math.floor(clock() / 1_000);
  return ownTokens.issue('mfa', {
    sub: user.id,
    ver: user.token_version,
    was: passwordState(user),
    ...(device !== undefined && { dev: device }),
    transport,
    jti: randomId(),
    iat,
    exp: iat + CHALLENGE_LIFE,
  });
}

/** A proof, and the hash of its recovery code if it is one. */
interface HashedProof {
  proof: Proof;
  hash: string | undefined;
}

/** The second factor with this proof spent, or undefined if it is wrong. */
function withProofSpent(
  keys: KeyRing,
  user: User,
  { proof, hash, now }: HashedProof & { now: number },
): Mfa | undefined {
  const { totp, recovery } = user.mfa;
  if (totp === undefined) return undefined;
  if ('code' in proof) {
    const spent = withCodeSpent(keys, { totp, code: proof.code, userId: user.id, now });
    return spent && { ...user.mfa, totp: spent };
  }
  const left = withRecoveryHashSpent(recovery, hash as string);
  return left && { ...user.mfa, recovery: left };
}

/**
 * One guess at the second factor. `user`: with the guess counted. `result`: the second factor with the proof spent,
 * or undefined if it is wrong. Refuses with `throttled`.
 */
export function decideGuess(
  { keys }: Pick<Context, 'keys'>,
  user: User,
  { place, now, ...guess }: HashedProof & { place: Place; now: number },
): { user: User; result: Mfa | undefined } {
  const wanted = budgetOf('code' in guess.proof ? 'totp' : 'recovery', place);
  const { throttle, result } = admit(user.throttle, wanted, now);
  if (result.outcome !== 'admitted') throw throttled(result, user.id);
  const { budgets } = result;
  const spent = withProofSpent(keys, user, { ...guess, now });
  const verdict = spent === undefined ? 'wrong' : 'right';
  const settled = withGuessSettled(throttle, budgets, { began: now, verdict, now });
  return { user: { ...user, throttle: settled }, result: spent };
}

/** The hash of a recovery code; undefined for another proof. It is slow, so it is made before the row is changed. */
export const hashProof = async (
  { passwords }: Context,
  user: User | undefined,
  proof: Proof,
  turn: Turn,
) =>
  'recoveryCode' in proof ? hashRecoveryCode(passwords, user, proof.recoveryCode, turn) : undefined;

/** The challenges with one more try of this one, or undefined if it has no tries left or was used. `until`: milliseconds. */
function withOneMoreTry(
  challenges: Mfa['challenges'],
  { id, until, now }: { id: string; until: number; now: number },
): Mfa['challenges'] | undefined {
  const others = challenges.filter((challenge) => challenge.id !== id && now < challenge.until);
  const known = challenges.find((challenge) => challenge.id === id);
  const tries = known?.tries ?? 0;
  if (tries >= TRIES) return undefined;
  return [{ ...known, id, tries: tries + 1, until }, ...others].slice(0, MAX_CHALLENGES);
}

/** Marks the newest challenge as used: no tries are left. */
const withNewestUsed = (challenges: Mfa['challenges']): Mfa['challenges'] =>
  challenges.map((challenge, index) => (index === 0 ? { ...challenge, tries: TRIES } : challenge));

/** The second step of a sign-in. Each challenge has five tries and signs in once. Refuses with `challenge_invalid`, `invalid_code` or `throttled`. */
export async function answerChallenge(
  context: Context,
  { token, proof, client, source }: { token: string; proof: Proof; client: string; source: Source },
): Promise<Holder> {
  const { ownTokens, users, clock, sessionLimits } = context;
  const claims = ownTokens.read('mfa', token);
  if (claims === undefined) throw new Refusal('challenge_invalid');
  const turn = { signal: source.signal, stranger: claims.dev === undefined };
  const hash = await hashProof(context, await users.findById(claims.sub), proof, turn);
  const place = claims.dev === undefined ? { prefix: source.prefix } : { device: claims.dev };

  const answered = await users.change<Holder | 'wrong'>(claims.sub, (user) => {
    const now = clock();
    const stands =
      user.status === 'active' &&
      user.token_version === claims.ver &&
      user.mfa.totp !== undefined &&
      passwordState(user) === claims.was;
    const challenges = stands
      ? withOneMoreTry(user.mfa.challenges, { id: claims.jti, until: claims.exp * 1_000, now })
      : undefined;
    if (challenges === undefined) throw new Refusal('challenge_invalid');
    const guess = { proof, hash, place, now };
    const { user: counted, result: spent } = decideGuess(context, user, guess);
    if (spent === undefined) {
      return { user: { ...counted, mfa: { ...user.mfa, challenges } }, result: 'wrong' };
    }
    const proven = {
      ...counted,
      mfa: { ...spent, challenges: withNewestUsed(challenges) },
      last_login_at: now,
    };
    const amr = 'code' in proof ? ['pwd', 'otp', 'mfa'] : ['pwd', 'mfa'];
    const signIn: SignIn = { id: randomId(), amr, transport: claims.transport, client };
    const started = withNewSession(proven, signIn, now, sessionLimits);
    return { user: started.user, result: { ...started, device: claims.dev ?? randomId() } };
  });
  if (answered === undefined) throw new Refusal('challenge_invalid');
  if (answered === 'wrong') throw new Refusal('invalid_code', { user: claims.sub });
  if ('recoveryCode' in proof) tell(context, answered.user, 'mfa.recovery_code_used');
  return answered;
}
