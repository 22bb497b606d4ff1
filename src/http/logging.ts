import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Context } from '../context.ts';
import type { SpanExporter } from '../parts/tracing/span-exporter.ts';
import { traceContextOf } from '../parts/tracing/trace-context.ts';

/** Account events by name. Each event writes exactly one log line. */
export type EventName =
  | 'account.created'
  | 'account.deleted'
  | 'account.disowned'
  | 'admin.user_invited'
  | 'admin.user_changed'
  | 'admin.user_deleted'
  | 'admin.sessions_ended'
  | 'admin.mfa_reset'
  | 'admin.passkeys_removed'
  | 'admin.identities_unlinked'
  | 'admin.service_account_created'
  | 'admin.service_account_secret_made'
  | 'admin.service_account_deleted'
  | 'client.token_issued'
  | 'client.refused'
  | 'client.sessions_revoked'
  | 'email.change_asked'
  | 'email.confirmed'
  | 'identity.linked'
  | 'identity.unlinked'
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
  | 'password.removed'
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

interface Logged {
  route: string | undefined;
  status: number | null;
  spans: SpanExporter | undefined;
}

/** One line per request, and its span; `status` is null if the client disconnected first. Logs the route pattern, because a path or query may contain secrets. */
function logRequest(
  log: FastifyBaseLogger,
  { request, elapsedTime }: FastifyReply,
  { route, status, spans }: Logged,
): void {
  const { id: reqId, method, ip, refusal } = request;
  const ms = Math.round(elapsedTime * 10) / 10;
  const parent = traceContextOf(request.headers.traceparent);
  const code = refusal?.code;
  const trace_id =
    spans?.add({ method, route, status, duration: elapsedTime, code, parent }) ?? parent?.traceId;
  // `undefined` is not written.
  const line = { reqId, method, route: route ?? null, status, ms, ip, trace_id };
  if (refusal === null) log.info(line, 'request');
  else {
    const { reason, user } = refusal.circumstances;
    log.info({ ...line, code, reason, user }, 'request');
  }
}

const REPLY = Symbol('reply');
/** A response with its reply, until it has been sent. */
type Response = ServerResponse & { [REPLY]: FastifyReply | undefined };

export function registerRequestLog(
  app: FastifyInstance,
  { metrics: { requests, refusals }, spans }: Pick<Context, 'metrics' | 'spans'>,
): void {
  const { log } = app;
  // One listener for all requests: a closure for each would be garbage soon.
  function logIfGone(this: Response) {
    const reply = this[REPLY];
    if (reply === undefined) return;
    logRequest(log, reply, { route: reply.request.routeOptions.url, status: null, spans });
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
    logRequest(log, reply, { route, status, spans });
    if (request.refusal !== null) refusals.inc({ code: request.refusal.code });
    requests.observe({ method: request.method, route, status }, reply.elapsedTime / 1_000);
    done();
  });
}
