import type { Context } from '../../context.ts';
import { invalidProof } from '../../parts/dpop/dpop-proofs.ts';
import { randomId } from '../../parts/ids.ts';
import { FACTORS } from '../../rules/factors/factors.ts';
import { Refusal } from '../../rules/refusal.ts';
import { hasSecondFactor, isChallengeVoid } from '../../rules/second-factor.ts';
import type { Binding, SignIn } from '../../rules/sessions.ts';
import { withTry } from '../../rules/tries.ts';
import type { Mfa, Session } from '../../schemas/user.ts';
import { tell } from '../accounts/letters.ts';
import type { Source } from '../sessions/sign-in.ts';
import { type HalfSignedIn, type Started, signedIn, startedFor } from '../sessions/signed-in.ts';
import { lifeOf } from '../tokens/life.ts';
import { passwordState } from '../tokens/mailed-tokens.ts';
import type { Holder } from '../tokens/token-pair.ts';
import { amrOfProof, noticeOf, type Proof, prepareCheck } from './factors.ts';
import { decideGuess } from './guess.ts';

/** Seconds. */
export const CHALLENGE_LIFE = 300;

const TRIES = 5;
const MAX_CHALLENGES = 20;

/** The `mfa` token: the first step was right, and the second factor is still required. `amr`: of the first step, if it was no password. */
export function issueChallenge(
  context: Context,
  {
    user,
    device,
    transport,
    amr,
    resource,
    jkt,
    is_bearer,
  }: HalfSignedIn &
    Binding & {
      transport: Session['transport'];
      resource?: string | undefined;
    },
): string {
  return context.ownTokens.issue('mfa', {
    sub: user.id,
    ver: user.token_version,
    was: passwordState(user),
    ...(device !== undefined && { dev: device }),
    transport,
    ...(amr && { amr }),
    ...(resource !== undefined && { resource }),
    ...(jkt !== undefined && { jkt }),
    ...(is_bearer && { is_bearer }),
    ...lifeOf(context, CHALLENGE_LIFE),
  });
}

/** Marks the challenge that was just tried as used: no tries are left. */
const withFirstUsed = (challenges: Mfa['challenges']): Mfa['challenges'] =>
  challenges.map((challenge, index) => (index === 0 ? { ...challenge, tries: TRIES } : challenge));

/**
 * The second step of a sign-in. Each challenge has five tries and signs in once. Refuses with `challenge_invalid`,
 * `invalid_code` or `throttled`; if the first step had a DPoP proof, also with `invalid_dpop_proof` and at the cost of no
 * try.
 */
export async function answerChallenge(
  context: Context,
  {
    token,
    proof,
    client,
    binding,
    source,
  }: { token: string; proof: Proof; client: string; binding: Binding; source: Source },
): Promise<Holder> {
  const { ownTokens, users, clock, sessionLimits } = context;
  const claims = ownTokens.read('mfa', token);
  if (claims === undefined) throw new Refusal('challenge_invalid');
  // Otherwise who copies the challenge would start a session that is bound to another key, or to none.
  if (claims.jkt !== undefined && claims.jkt !== binding.jkt)
    throw invalidProof('The sign-in began with a proof of another key.');
  const turn = { signal: source.signal, stranger: claims.dev === undefined };
  const check = await prepareCheck(context, await users.findById(claims.sub), proof, turn);
  const challenge = { id: claims.jti, until: claims.exp * 1_000 };
  const place = claims.dev === undefined ? { prefix: source.prefix } : { device: claims.dev };

  const answered = await users.change<Started | 'wrong'>(claims.sub, (user) => {
    const now = clock();
    const stands =
      user.status === 'active' &&
      user.token_version === claims.ver &&
      hasSecondFactor(user) &&
      !isChallengeVoid(user, claims.iat) &&
      passwordState(user) === claims.was;
    const challenges = stands
      ? withTry(user.mfa.challenges, { ...challenge, now, tries: TRIES, most: MAX_CHALLENGES })
      : undefined;
    if (challenges === undefined) throw new Refusal('challenge_invalid');
    const { user: counted, spent } = decideGuess(user, { kind: proof.kind, check, place, now });
    if (spent === undefined) {
      return { user: { ...counted, mfa: { ...user.mfa, challenges } }, result: 'wrong' };
    }
    const proven = { ...spent, mfa: { ...spent.mfa, challenges: withFirstUsed(challenges) } };
    const { amr: first = FACTORS.password.amr } = claims;
    const amr = [...new Set([...first, ...amrOfProof(proof)])];
    const signIn: SignIn = {
      id: randomId(),
      amr,
      transport: claims.transport,
      client,
      ...binding,
      ...(claims.is_bearer && { is_bearer: true }),
    };
    const start = { signIn, device: claims.dev, now, limits: sessionLimits };
    const started = startedFor(user, proven, start);
    return { user: started.user, result: started };
  });
  if (answered === undefined) throw new Refusal('challenge_invalid');
  if (answered === 'wrong') throw new Refusal('invalid_code', { user: claims.sub });
  const notice = noticeOf(proof);
  if (notice) tell(context, answered.user, notice);
  const holder = signedIn(context, answered);
  return claims.resource === undefined ? holder : { ...holder, audience: claims.resource };
}
