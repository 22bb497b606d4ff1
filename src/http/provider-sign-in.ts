import type { FastifyRequest } from 'fastify';
import type { Arrived } from '../actions/sessions/signed-in.ts';
import type { Context } from '../context.ts';
import { logEvent } from './logging.ts';
import { reportRefusedSignIn, reportSignIn } from './sign-in.ts';

const way = 'provider';

/** Counts and logs how somebody came in from a provider, and what became of the account. A challenge is counted by `challenge.ts`. */
export function reportArrival(
  request: FastifyRequest,
  context: Context,
  { who: { user, session }, event }: Arrived,
): void {
  if (event !== undefined) logEvent(request, event, { user: user.id });
  if (session !== undefined)
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
