import type { FastifyRequest } from 'fastify';
import { CHALLENGE_LIFE, issueChallenge } from '../actions/factors/challenge.ts';
import { readyFactors } from '../actions/factors/factors.ts';
import type { Arrived } from '../actions/factors/provider/sign-in.ts';
import type { HalfSignedIn } from '../actions/sessions/sign-in.ts';
import type { Context } from '../context.ts';
import type { Session } from '../schemas/user.ts';
import { logEvent } from './logging.ts';
import { reportRefusedSignIn, reportSignIn } from './sign-in.ts';

const way = 'provider';

/** Counts and logs how somebody came in from a provider, and what became of the account. */
export function reportArrival(
  request: FastifyRequest,
  context: Context,
  { who: { user, session }, event }: Arrived,
): void {
  if (event !== undefined) logEvent(request, event, { user: user.id });
  if (session === undefined)
    reportSignIn(request, context, {
      way,
      result: 'challenged',
      event: 'mfa.challenged',
      user: user.id,
    });
  else
    reportSignIn(request, context, {
      way,
      result: 'ok',
      event: 'sign_in.ok',
      user: user.id,
      session: session.id,
    });
}

export const reportRefusedArrival = (
  request: FastifyRequest,
  context: Context,
  error: unknown,
): void =>
  reportRefusedSignIn(request, context, {
    error,
    way,
    events: { refused: 'sign_in.refused', throttled: 'sign_in.throttled' },
  });

/** What asks for the second factor. */
export const challengeOf = (
  context: Context,
  half: HalfSignedIn,
  transport: Session['transport'],
) => ({
  mfa_token: issueChallenge(context, { ...half, transport }),
  methods: readyFactors(half.user),
  expires_in: CHALLENGE_LIFE,
});
