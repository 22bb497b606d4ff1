import { Refusal } from '../../rules/refusal.ts';

/** The provider writes its issuer in another way than the configuration, or has its keys where others could change them. */
export class ForeignMetadata extends Error {
  override name = 'ForeignMetadata';
}

/** Seconds. */
const RETRY_AFTER = 5;

/** Codes of `openid-client` and `jose` that say that the provider did not answer, or that its answer is not one. */
const OUTAGES: ReadonlySet<unknown> = new Set([
  'OAUTH_TIMEOUT',
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_RESPONSE_IS_NOT_JSON',
  'OAUTH_PARSE_ERROR',
  'ERR_JOSE_GENERIC',
  'ERR_JWKS_INVALID',
  'ERR_JWKS_TIMEOUT',
]);

/** RFC 6749 sections 4.1.2.1 and 5.2: the provider is at fault, or does not know this service. */
const FAULTS: ReadonlySet<unknown> = new Set([
  'server_error',
  'temporarily_unavailable',
  'invalid_client',
  'unauthorized_client',
]);

/** For the log. Words of the libraries and of Node alone: anyone can send an `error` to the callback. */
function reasonOf({ name, code, error, cause }: Fault): string {
  const words = [name, code, FAULTS.has(error) ? error : undefined, cause?.code];
  return words.filter((word) => typeof word === 'string').join(' ');
}

interface Fault {
  name: string;
  code?: unknown;
  error?: unknown;
  cause?: { code?: unknown } | undefined;
}

export const unavailable = (error: unknown): Refusal =>
  new Refusal('provider_unavailable', {
    retryAfter: RETRY_AFTER,
    reason: reasonOf(error as Fault),
  });

/** `provider_unavailable` if the provider did not answer (`fetch` throws a TypeError), otherwise `provider_refused`. */
export function refusalOfProvider(error: unknown): Refusal {
  const { code, error: answered } = error as Fault;
  const isOutage = error instanceof TypeError || OUTAGES.has(code) || FAULTS.has(answered);
  return isOutage
    ? unavailable(error)
    : new Refusal('provider_refused', { reason: reasonOf(error as Fault) });
}
