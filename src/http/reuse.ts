import type { FastifyRequest } from 'fastify';
import type { Context } from '../context.ts';
import { tell } from '../domain/accounts/letters.ts';
import type { Holder } from '../domain/tokens/token-pair.ts';
import { logEvent } from './logging.ts';

/** Two parties hold a refresh token: the log and the owner hear of it. */
export function reportReuse(
  request: FastifyRequest,
  context: Context,
  { user, session }: Omit<Holder, 'device'>,
): void {
  tell(context, user, 'session.reuse_detected');
  logEvent(request, 'session.reuse_detected', { user: user.id, session: session.id });
}
