import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { authenticate } from '../actions/clients/service-accounts.ts';
import type { Context } from '../context.ts';
import { OAuthRefusal } from '../rules/oauth-refusal.ts';
import type { OAuthErrorCode } from '../schemas/oauth.ts';
import { OAuthProblem } from '../schemas/oauth.ts';
import type { ProblemCode } from '../schemas/problem.ts';
import type { User } from '../schemas/user.ts';
import { refuseType } from './body.ts';
import { logEvent } from './logging.ts';
import { problems } from './problem-catalogue.ts';
import { logFault, refusalOf } from './problems.ts';
import { voiceOf } from './voice.ts';

const FORM = /^application\/x-www-form-urlencoded *(; *charset="?utf-8"? *)?$/i;

/** Instead of the catalogue's texts: RFC 6749 section 5.2 allows no quotation marks in a description. */
const DESCRIPTIONS: Partial<Record<ProblemCode, string>> = {
  unsupported_media_type: 'Send a form: Content-Type application/x-www-form-urlencoded.',
  internal_error: 'Internal error.',
};

const badClient = () =>
  new OAuthRefusal('invalid_client', 'No service account has this id and this secret.');

/** Appendix B: UTF-8, percent-encoded. Anything else would be read as U+FFFD. */
function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return !text.includes('\ufffd');
  } catch {
    return false;
  }
}

/** RFC 6749 section 3.2: no parameter twice. One without a value counts as absent. */
function parseForm(text: string): Record<string, string> {
  if (!isEncoded(text)) throw new OAuthRefusal('invalid_request', 'The form is not in UTF-8.');
  const parameters = new URLSearchParams(text);
  const names = [...parameters.keys()];
  const twice = new Set(names.filter((name, at) => names.indexOf(name) < at));
  // RFC 8707 section 2 allows several; here each token is for one.
  if (twice.has('resource') && twice.size === 1)
    throw new OAuthRefusal('invalid_target', 'A token is for one resource.');
  if (twice.size > 0) {
    throw new OAuthRefusal('invalid_request', 'A parameter is there twice.');
  }
  return Object.fromEntries([...parameters].filter(([, value]) => value !== ''));
}

/** RFC 6749 section 2.3.1: both halves are form-encoded inside HTTP Basic. */
function basicCredentials(header: string): { id?: string; secret?: string } {
  const decoded = Buffer.from(header.replace(/^basic +/i, ''), 'base64').toString();
  const colon = decoded.indexOf(':');
  try {
    const [id, secret] = [decoded.slice(0, colon), decoded.slice(colon + 1)].map((half) =>
      decodeURIComponent(half.replaceAll('+', ' ')),
    ) as [string, string];
    return { id, secret };
  } catch {
    return {};
  }
}

const isBasic = (authorization: string | undefined): authorization is string =>
  authorization !== undefined && /^basic\b/i.test(authorization);

export interface ClientFields {
  client_id?: string | undefined;
  client_secret?: string | undefined;
}

/** The service account that sent the request. Refuses with `invalid_client`, and with `invalid_request` two ways at once. */
export async function authenticatedClient(
  request: FastifyRequest,
  body: ClientFields,
  context: Context,
): Promise<User> {
  const { authorization } = request.headers;
  const named = { id: body.client_id, secret: body.client_secret };
  const basic = isBasic(authorization) ? basicCredentials(authorization) : undefined;
  const { id, secret } = basic ?? named;
  if (basic && (named.secret !== undefined || (named.id !== undefined && named.id !== id))) {
    throw new OAuthRefusal('invalid_request', 'Authenticate in one way.');
  }
  const client = id && secret ? await authenticate(context, id, secret) : undefined;
  if (client === undefined) {
    logEvent(request, 'client.refused', {});
    throw badClient();
  }
  return client;
}

/** The same where a client need not authenticate: one that does all the same has to be right (RFC 6749 section 3.2.1). */
export async function authenticatedClientIfAny(
  request: FastifyRequest,
  body: ClientFields,
  context: Context,
): Promise<User | undefined> {
  const tries = isBasic(request.headers.authorization) || body.client_secret !== undefined;
  return tries ? authenticatedClient(request, body, context) : undefined;
}

const STATUS: Record<OAuthErrorCode, number> = {
  invalid_request: 400,
  invalid_client: 401,
  invalid_grant: 400,
  unsupported_grant_type: 400,
  invalid_scope: 400,
  invalid_target: 400,
  server_error: 500,
  temporarily_unavailable: 503,
  invalid_dpop_proof: 400,
  use_dpop_nonce: 400,
};

/** What is no OAuth refusal keeps its status, under the nearest code that RFC 6749 has. */
function oauthCodeOf(code: ProblemCode, status: number): OAuthErrorCode {
  // Those that OAuth has too.
  if (code === 'invalid_target' || code === 'invalid_dpop_proof' || code === 'use_dpop_nonce')
    return code;
  if (status === 429 || status === 503) return 'temporarily_unavailable';
  return status >= 500 ? 'server_error' : 'invalid_request';
}

function answerOAuthError(
  error: Error,
  request: FastifyRequest,
  reply: FastifyReply,
  realm: string,
): FastifyReply {
  reply.header('pragma', 'no-cache').type('application/json');
  if (error instanceof OAuthRefusal) {
    if (error.code === 'invalid_client') reply.header('www-authenticate', `Basic realm="${realm}"`);
    const body = { error: error.code, error_description: error.description };
    return reply.code(STATUS[error.code]).send(JSON.stringify(body));
  }
  const refusal = refusalOf(error);
  logFault(error, request, refusal);
  const { status } = problems[refusal.code];
  const { retryAfter, detail = problems[refusal.code].detail, errors = [] } = refusal.circumstances;
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
  const where = errors.map(({ path, message }) => `${path.slice(1)} ${message}`).join('; ');
  const code = oauthCodeOf(refusal.code, status);
  const body = {
    error: code,
    error_description: DESCRIPTIONS[refusal.code] ?? (where || detail),
  };
  // RFC 6749 section 5.2 has one status for what is wrong in a form, and RFC 9449 section 5 the same for a proof.
  const isBadRequest = status === 422 || code === refusal.code;
  return reply.code(isBadRequest ? 400 : status).send(JSON.stringify(body));
}

const EXAMPLES: Record<number, [OAuthErrorCode, string]> = {
  400: ['invalid_request', 'grant_type is required'],
  401: ['invalid_client', badClient().description],
  403: ['invalid_request', problems.https_required.detail],
  413: ['invalid_request', problems.body_too_large.detail],
  415: ['invalid_request', String(DESCRIPTIONS.unsupported_media_type)],
  429: ['temporarily_unavailable', problems.rate_limited.detail],
  500: ['server_error', String(DESCRIPTIONS.internal_error)],
  503: ['temporarily_unavailable', problems.unavailable.detail],
};

/** For the document: a true answer with this status. */
export function oauthExamples(status: number) {
  const [error, error_description] = EXAMPLES[status] as [OAuthErrorCode, string];
  return { [error]: { value: { error, error_description } } };
}

/** The answers that every OAuth route declares. */
export const oauthResponses = Object.fromEntries(
  ([400, 401, 403, 413, 415, 429, 500, 503] as const).map((status) => [
    status,
    {
      description: `Refused, in the words of RFC 6749 section 5.2.`,
      content: { 'application/json': { schema: OAuthProblem } },
    },
  ]),
);

/** Makes a scope speak as RFC 6749 does: forms in, JSON out, its own errors. */
export function registerOAuth(scope: FastifyInstance, { config }: Pick<Context, 'config'>): void {
  const { realm } = voiceOf(config);
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    async (request: FastifyRequest, text: string) => {
      refuseType(request, FORM);
      return parseForm(text);
    },
  );
  scope.setErrorHandler((error: Error, request, reply) =>
    answerOAuthError(error, request, reply, realm),
  );
}
