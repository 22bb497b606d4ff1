import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { RECENT } from '../actions/accounts/recent.ts';
import type { Config } from '../config.ts';
import { EmailTaken, StorageFault, UnreadableRow } from '../parts/storage/users.ts';
import { Refusal } from '../rules/refusal.ts';
import { DPOP_ALGORITHMS } from '../schemas/dpop.ts';
import { type Problem, ProblemCode } from '../schemas/problem.ts';
import { isDpopScheme } from './access-token.ts';
import { problems } from './problem-catalogue.ts';
import { type Voice, voiceOf } from './voice.ts';

const RETRY_AFTER = 1;

/** What Fastify, the docs page and Node refuse by themselves: their error code or name, and ours. */
const FASTIFY_REFUSALS: Record<string, ProblemCode> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'bad_request',
  FST_ERR_ROUTE_MISSING_CONTENT_TYPE: 'unsupported_media_type',
  ECONNRESET: 'bad_request',
  PreconditionFailedError: 'bad_request',
  RangeNotSatisfiableError: 'bad_request',
};

export function refusalOf(error: Error & { code?: string }): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof EmailTaken) return new Refusal('email_taken');
  if (error instanceof UnreadableRow)
    return new Refusal('unavailable', { retryAfter: RETRY_AFTER, user: error.id });
  if (error instanceof StorageFault) return new Refusal('unavailable', { retryAfter: RETRY_AFTER });
  return new Refusal(FASTIFY_REFUSALS[error.code ?? error.name] ?? 'internal_error');
}

/** The `WWW-Authenticate` header (RFC 6750 section 3, RFC 9470 section 3). No error code where no token was sent, and no text from the request. */
function bearerChallenge(code: ProblemCode, voice: Voice): string | undefined {
  if (DPOP_CODES.has(code)) return dpopChallenge(code, voice);
  const realm = `Bearer realm="${voice.realm}"`;
  const { status, detail } = problems[code];
  if (code === 'step_up_required')
    return `${realm}, error="insufficient_user_authentication", error_description="${detail}", max_age="${RECENT}"`;
  if (code === 'forbidden') return `${realm}, error="insufficient_scope"`;
  if (status !== 401) return undefined;
  if (!code.startsWith('token_') || code === 'token_missing') return realm;
  return `${realm}, error="invalid_token", error_description="${detail}"`;
}

/** What only DPoP refuses. */
const DPOP_CODES = new Set<ProblemCode>(['token_bound', 'invalid_dpop_proof', 'use_dpop_nonce']);

/** The same for a request in the scheme `DPoP` (RFC 9449 section 7.1). */
function dpopChallenge(code: ProblemCode, voice: Voice): string | undefined {
  const algs = `algs="${DPOP_ALGORITHMS.join(' ')}"`;
  if (!DPOP_CODES.has(code))
    return bearerChallenge(code, voice)?.replace(/^Bearer (.*)$/, `DPoP $1, ${algs}`);
  const error = code === 'token_bound' ? 'invalid_token' : code;
  return `DPoP realm="${voice.realm}", error="${error}", error_description="${problems[code].detail}", ${algs}`;
}

export function problemOf(refusal: Refusal, instance: string, { pages }: Voice): Problem {
  const { status, title, detail } = problems[refusal.code];
  const { detail: special, errors } = refusal.circumstances;
  return {
    type: `${pages}/${refusal.code}`,
    title,
    status,
    detail: special ?? detail,
    code: refusal.code,
    instance,
    ...(errors && { errors }),
  };
}

/** What each code always answers. */
interface Standing {
  voice: Voice;
  /** `WWW-Authenticate`, for the codes that have it; and in the scheme `DPoP`. */
  challenges: Map<ProblemCode, string | undefined>;
  dpopChallenges: Map<ProblemCode, string | undefined>;
}

/** Sends a refusal as a string, so that no response schema changes it. */
function sendProblem(
  reply: FastifyReply,
  refusal: Refusal,
  { voice, ...standing }: Standing,
): FastifyReply {
  const { retryAfter } = refusal.circumstances;
  const { challenges, dpopChallenges } = standing;
  const authenticate = (isDpopScheme(reply.request) ? dpopChallenges : challenges).get(
    refusal.code,
  );
  if (authenticate !== undefined) reply.header('www-authenticate', authenticate);
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
  return reply
    .code(problems[refusal.code].status)
    .type('application/problem+json')
    .send(JSON.stringify(problemOf(refusal, reply.request.id, voice)));
}

/** Keeps the refusal for the request's log line. Unexpected errors are also logged with a stack trace. */
export function logFault(error: Error, request: FastifyRequest, refusal: Refusal): void {
  request.refusal = refusal;
  if (error !== refusal && problems[refusal.code].status >= 500)
    request.log.error({ err: error }, refusal.code);
}

/** The one place where an error becomes an answer. */
function answerErrors(voice: Voice) {
  const { options } = ProblemCode;
  const challenges = new Map(options.map((code) => [code, bearerChallenge(code, voice)]));
  const dpopChallenges = new Map(options.map((code) => [code, dpopChallenge(code, voice)]));
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const refusal = refusalOf(error);
    logFault(error, request, refusal);
    return sendProblem(reply, refusal, { voice, challenges, dpopChallenges });
  };
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Why this request was refused; for the log. */
    refusal: Refusal | null;
  }
}

export function registerProblems(app: FastifyInstance, config: Config): void {
  app.decorateRequest('refusal', null);
  app.setErrorHandler(answerErrors(voiceOf(config)));
}
