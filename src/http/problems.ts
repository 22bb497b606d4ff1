import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../config.ts';
import { EmailTaken, StorageFault, UnreadableRow } from '../parts/storage/users.ts';
import { Refusal } from '../rules/refusal.ts';
import { Problem, type ProblemCode } from '../schemas/problem.ts';
import { type Voice, voiceOf } from './voice.ts';

interface Entry {
  status: number;
  title: string;
  /** What the page of the code says, and the `detail` of an answer that has nothing more to tell. */
  explanation: string;
}

/** The catalogue: a code that is not here does not compile. */
export const problems = {
  malformed_json: {
    status: 400,
    title: 'Malformed JSON',
    explanation:
      'The body is not one well-formed JSON document in UTF-8, without duplicate members.',
  },
  ambiguous_credentials: {
    status: 400,
    title: 'Ambiguous credentials',
    explanation: 'The request carries more than one token of the same kind. Send one.',
  },
  bad_request: {
    status: 400,
    title: 'Bad request',
    explanation: 'The request is not well-formed HTTP.',
  },
  token_missing: {
    status: 401,
    title: 'Token missing',
    explanation: 'This route needs a token. Send the access token as "Authorization: Bearer ...".',
  },
  token_expired: {
    status: 401,
    title: 'Token expired',
    explanation: 'The access token has expired. Get a new one from POST /v1/refresh.',
  },
  token_revoked: {
    status: 401,
    title: 'Token revoked',
    explanation:
      'The session of this access token has ended, or a role was removed. Refresh once; if that is refused, sign in again.',
  },
  token_invalid: {
    status: 401,
    title: 'Token invalid',
    explanation: 'The token is not an access token of this service.',
  },
  invalid_credentials: {
    status: 401,
    title: 'Invalid credentials',
    explanation: 'The e-mail address and the password do not belong together.',
  },
  refresh_missing: {
    status: 401,
    title: 'Refresh token missing',
    explanation: 'Nobody is signed in here: the request carries no refresh token. Sign in.',
  },
  refresh_invalid: {
    status: 401,
    title: 'Refresh token invalid',
    explanation: 'The session is unknown, has ended or has expired. Sign in again.',
  },
  refresh_reused: {
    status: 401,
    title: 'Refresh token reused',
    explanation:
      'The refresh token was used again after its successor, so two parties hold it. The session has ended. Sign in again.',
  },
  wrong_password: {
    status: 403,
    title: 'Wrong password',
    explanation: 'The current password is not right. Nothing was changed.',
  },
  wrong_code: {
    status: 403,
    title: 'Wrong code',
    explanation: 'The code is not right, too old, or was used before. Nothing was changed.',
  },
  invalid_code: {
    status: 401,
    title: 'Invalid code',
    explanation: 'The code is not right, too old, or was used before. A challenge has five tries.',
  },
  challenge_invalid: {
    status: 401,
    title: 'Challenge invalid',
    explanation:
      'The sign-in took too long, had its five tries, or was finished already. Start again with the password.',
  },
  link_invalid: {
    status: 400,
    title: 'Link invalid',
    explanation:
      'The link is too old, was used before, or something else has happened since. Ask for a new one.',
  },
  forbidden: {
    status: 403,
    title: 'Forbidden',
    explanation: 'The access token does not carry the role that this route needs.',
  },
  origin_forbidden: {
    status: 403,
    title: 'Origin forbidden',
    explanation:
      'A request that carries the token in a cookie must come from an allowed origin (CORS_ORIGINS).',
  },
  https_required: {
    status: 403,
    title: 'HTTPS required',
    explanation:
      'The request came over plain http. Nothing is redirected: change the address to https.',
  },
  sign_up_closed: {
    status: 403,
    title: 'Sign-up closed',
    explanation: 'Nobody can register here. Ask an administrator for an account.',
  },
  email_verification_required: {
    status: 403,
    title: 'E-mail verification required',
    explanation:
      'An account is made only once its mailbox is proven: register with the address alone.',
  },
  not_found: {
    status: 404,
    title: 'Not found',
    explanation: 'There is nothing at this address for you.',
  },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    explanation: 'This address does not take this method. The Allow header lists those it takes.',
  },
  request_timeout: {
    status: 408,
    title: 'Request timeout',
    explanation: 'The request did not arrive in time.',
  },
  email_taken: {
    status: 409,
    title: 'E-mail taken',
    explanation: 'There is an account with this address. Sign in instead.',
  },
  mfa_enabled: {
    status: 409,
    title: 'Second factor in force',
    explanation: 'There is a second factor already. Remove it first.',
  },
  mfa_not_enabled: {
    status: 409,
    title: 'No second factor',
    explanation: 'There is no second factor to confirm, to use or to remove.',
  },
  last_admin: {
    status: 409,
    title: 'Last administrator',
    explanation:
      'Nobody else is an administrator, so this one has to stay. Make another one first.',
  },
  body_too_large: {
    status: 413,
    title: 'Body too large',
    explanation: 'Bodies may have up to 16 KB.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'Unsupported media type',
    explanation: 'Send JSON in UTF-8, with "Content-Type: application/json".',
  },
  invalid_input: {
    status: 422,
    title: 'Invalid input',
    explanation: 'The request has a fault; the list of errors says where.',
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    explanation:
      'Too many requests came from your network. The Retry-After header says how many seconds to wait.',
  },
  throttled: {
    status: 429,
    title: 'Too many failures',
    explanation:
      'Too many sign-ins failed. The Retry-After header says how many seconds to wait; until then even the right answer is refused. A device that has signed in before does not wait for others.',
  },
  headers_too_large: {
    status: 431,
    title: 'Headers too large',
    explanation: 'The headers of the request may have up to 16 KB together.',
  },
  internal_error: {
    status: 500,
    title: 'Internal error',
    explanation: 'The service made a mistake. The log has it, under the id that "instance" gives.',
  },
  overloaded: {
    status: 503,
    title: 'Overloaded',
    explanation: 'Too much work is waiting already. Try again after Retry-After seconds.',
  },
  unavailable: {
    status: 503,
    title: 'Unavailable',
    explanation:
      'The database did not answer, takes no writes, or holds something of this account that cannot be read. Send the request again after Retry-After seconds.',
  },
} satisfies Record<ProblemCode, Entry>;

const RETRY_AFTER = 1;

/** What Fastify, its files of the docs page and Node refuse, by code or name; a client that went away hears nothing of it. */
const FASTIFY_REFUSALS: Record<string, ProblemCode> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'bad_request',
  FST_ERR_ROUTE_MISSING_CONTENT_TYPE: 'unsupported_media_type',
  ECONNRESET: 'bad_request',
  FST_STATIC_FORBIDDEN_PATH: 'not_found',
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

/** RFC 6750 section 3: no error code where no token was sent; nothing that comes from the request. */
function wwwAuthenticate(code: ProblemCode, voice: Voice): string | undefined {
  const realm = `Bearer realm="${voice.realm}"`;
  const { status, explanation } = problems[code];
  if (code === 'forbidden') return `${realm}, error="insufficient_scope"`;
  if (status !== 401) return undefined;
  if (!code.startsWith('token_') || code === 'token_missing') return realm;
  return `${realm}, error="invalid_token", error_description="${explanation}"`;
}

export function problemOf(refusal: Refusal, instance: string, { pages }: Voice): Problem {
  const { status, title, explanation } = problems[refusal.code];
  const { detail = explanation, errors } = refusal.circumstances;
  return {
    type: `${pages}/${refusal.code}`,
    title,
    status,
    detail,
    code: refusal.code,
    instance,
    ...(errors && { errors }),
  };
}

/** Answers a refusal; already a string, so that no response schema stands between it and the caller. */
function sendProblem(reply: FastifyReply, refusal: Refusal, voice: Voice): FastifyReply {
  const { retryAfter } = refusal.circumstances;
  const authenticate = wwwAuthenticate(refusal.code, voice);
  if (authenticate !== undefined) reply.header('www-authenticate', authenticate);
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
  return reply
    .code(problems[refusal.code].status)
    .type('application/problem+json')
    .send(JSON.stringify(problemOf(refusal, reply.request.id, voice)));
}

/** Leaves the refusal for the request's line. What is no refusal of our own has a line with its stack as well. */
export function logFault(error: Error, request: FastifyRequest, refusal: Refusal): void {
  request.refusal = refusal;
  if (error !== refusal && problems[refusal.code].status >= 500)
    request.log.error({ err: error }, refusal.code);
}

/** The one place where an error becomes an answer. */
function answerErrors(voice: Voice) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const refusal = refusalOf(error);
    logFault(error, request, refusal);
    return sendProblem(reply, refusal, voice);
  };
}

/** The answers that a route declares for these codes, one a status. */
export function problemResponses(codes: ProblemCode[]): Record<number, object> {
  const byStatus = Map.groupBy(codes, (code) => problems[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, sameStatus]) => [
      status,
      {
        description: sameStatus
          .map((code) => `\`${code}\`: ${problems[code].explanation}`)
          .join('\n\n'),
        content: { 'application/problem+json': { schema: Problem } },
      },
    ]),
  );
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Why this request was refused, for the log. */
    refusal: Refusal | null;
  }
}

export function registerProblems(app: FastifyInstance, config: Config): void {
  app.decorateRequest('refusal', null);
  app.setErrorHandler(answerErrors(voiceOf(config)));
}
