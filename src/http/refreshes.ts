import type { FastifyRequest } from 'fastify';
import { tell } from '../actions/accounts/letters.ts';
import type { Refreshed } from '../actions/sessions/refresh.ts';
import type { Context } from '../context.ts';
import { logEvent } from './logging.ts';

/** Counts a refresh by outcome. Logs a row that is behind, and logs and mails the owner about reuse. */
export function reportRefresh(
  request: FastifyRequest,
  context: Context,
  refreshed: Refreshed,
): void {
  const { outcome } = refreshed;
  context.metrics.refreshes.inc({ outcome });
  if (outcome !== 'caught_up' && outcome !== 'reused') return;
  const ids = { user: refreshed.user.id, session: refreshed.session.id };
  if (outcome === 'caught_up') logEvent(request, 'session.row_behind', ids);
  else {
    logEvent(request, 'session.reuse_detected', ids);
    tell(context, refreshed.user, 'session.reuse_detected');
  }
}
