import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { CHALLENGE_LIFE, issueChallenge } from '../actions/factors/challenge.ts';
import { readyFactors } from '../actions/factors/factors.ts';
import type { Context } from '../context.ts';
import type { Challenge } from '../schemas/second-factor.ts';
import { reportSignIn } from './sign-in.ts';

/** The answer to a right first step of an account that has a second factor. Counts and logs it. */
export function challengeAnswer(
  request: FastifyRequest,
  context: Context,
  {
    half,
    way,
  }: { half: Parameters<typeof issueChallenge>[1]; way: 'password' | 'mail_code' | 'provider' },
): z.input<typeof Challenge> {
  const user = half.user.id;
  reportSignIn(request, context, { way, result: 'challenged', event: 'mfa.challenged', user });
  return {
    mfa_token: issueChallenge(context, { ...half, ...request.binding }),
    methods: readyFactors(half.user),
    expires_in: CHALLENGE_LIFE,
  };
}
