import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
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
  | 'password.changed'
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
  request: FastifyRequest,
  reply: FastifyReply,
  status: number | null = reply.statusCode,
): void {
  request.log.info(
    {
      method: request.method,
      route: request.routeOptions.url ?? null,
      status,
      ms: Math.round(reply.elapsedTime * 10) / 10,
      ip: request.ip,
      ...(request.refusal && {
        code: request.refusal.code,
        reason: request.refusal.circumstances.reason,
        user: request.refusal.circumstances.user,
      }),
    },
    'request',
  );
}

export function registerRequestLog(app: FastifyInstance, { requests }: Metrics): void {
  const answered = new WeakSet<FastifyRequest>();
  app.addHook('onRequest', (request, reply, done) => {
    reply.raw.once('close', () => {
      if (!answered.has(request)) logRequest(request, reply, null);
    });
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    answered.add(request);
    logRequest(request, reply);
    const { method, routeOptions } = request;
    const labels = { method, route: routeOptions.url ?? 'none', status: reply.statusCode };
    requests.observe(labels, reply.elapsedTime / 1_000);
    done();
  });
}
