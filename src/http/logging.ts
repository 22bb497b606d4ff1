import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Metrics } from '../parts/metrics.ts';

/** Account events by name. Each event writes exactly one log line. */
export type EventName =
  | 'account.created'
  | 'account.deleted'
  | 'admin.user_invited'
  | 'admin.user_changed'
  | 'admin.user_deleted'
  | 'admin.sessions_ended'
  | 'admin.mfa_reset'
  | 'admin.service_account_created'
  | 'admin.service_account_secret_made'
  | 'admin.service_account_deleted'
  | 'client.token_issued'
  | 'client.refused'
  | 'email.change_asked'
  | 'email.confirmed'
  | 'mfa.challenged'
  | 'mfa.disabled'
  | 'mfa.enabled'
  | 'mfa.enrolment_begun'
  | 'mfa.recovery_codes_renewed'
  | 'mfa.refused'
  | 'passkey.added'
  | 'passkey.copied'
  | 'passkey.removed'
  | 'passkey.renamed'
  | 'password.changed'
  | 'session.stepped_up'
  | 'session.all_ended'
  | 'session.ended'
  | 'session.reuse_detected'
  | 'session.row_behind'
  | 'sign_in.ok'
  | 'sign_in.refused'
  | 'sign_in.throttled'
  | 'token.revoked';

interface EventDetails {
  /** The ID of the affected user. */
  user?: string | undefined;
  session?: string | undefined;
  /** The ID of the user who acted, if different. */
  actor?: string;
  before?: object;
  after?: object;
}

/** Logs an event. `details` contain IDs, never a token, password or email address. */
export function logEvent(request: FastifyRequest, event: EventName, details: EventDetails): void {
  request.log.info({ event, ip: request.ip, ...details }, event);
}

/** Generates request IDs here; an ID sent by the client is ignored. */
export function requestIds(): () => string {
  const node = randomBytes(6).toString('base64url');
  let count = 0;
  return () => {
    count += 1;
    return `${node}-${count.toString(36)}`;
  };
}

/** One line per request; `status` is null if the client disconnected first. Logs the route pattern, because a path or query may contain secrets. */
function logRequest(
  log: FastifyBaseLogger,
  { request, elapsedTime }: FastifyReply,
  { route, status }: { route: string | undefined; status: number | null },
): void {
  const { id: reqId, method, ip, refusal } = request;
  const ms = Math.round(elapsedTime * 10) / 10;
  const line = { reqId, method, route: route ?? null, status, ms, ip };
  if (refusal === null) log.info(line, 'request');
  else {
    const { reason, user } = refusal.circumstances;
    log.info({ ...line, code: refusal.code, reason, user }, 'request');
  }
}

const REPLY = Symbol('reply');
/** A response with its reply, until it has been sent. */
type Response = ServerResponse & { [REPLY]: FastifyReply | undefined };

export function registerRequestLog(app: FastifyInstance, { requests }: Metrics): void {
  const { log } = app;
  // One listener for all requests: a closure for each would be garbage soon.
  function logIfGone(this: Response) {
    const reply = this[REPLY];
    if (reply === undefined) return;
    logRequest(log, reply, { route: reply.request.routeOptions.url, status: null });
  }
  app.addHook('onRequest', (_request, reply, done) => {
    const response = reply.raw as Response;
    response[REPLY] = reply;
    response.on('close', logIfGone);
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    (reply.raw as Response)[REPLY] = undefined;
    const { statusCode: status } = reply;
    const { url: route } = request.routeOptions;
    logRequest(log, reply, { route, status });
    requests.observe({ method: request.method, route, status }, reply.elapsedTime / 1_000);
    done();
  });
}
