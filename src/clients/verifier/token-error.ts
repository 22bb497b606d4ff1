import type * as declared from '../verify.d.ts';

const MESSAGES = {
  token_missing: 'No access token was sent.',
  token_invalid: 'The access token is not valid.',
  token_expired: 'The access token has expired.',
  token_revoked: 'The access token was revoked.',
  invalid_dpop_proof: 'The proof is not valid.',
  issuer_away: 'The access token cannot be checked now.',
};

/** No `error` where no token was sent (RFC 6750 section 3.1). */
const challengeOf = (code: keyof typeof MESSAGES): string => {
  if (code === 'token_missing') return 'Bearer realm="access"';
  const isProof = code === 'invalid_dpop_proof';
  const error = isProof ? code : 'invalid_token';
  return `${isProof ? 'DPoP' : 'Bearer'} realm="access", error="${error}", error_description="${MESSAGES[code]}"`;
};

export class TokenError extends Error implements declared.TokenError {
  code: keyof typeof MESSAGES;
  status: number;
  headers: Record<string, string>;
  reason: string | undefined;

  constructor(code: keyof typeof MESSAGES, reason?: string) {
    super(MESSAGES[code]);
    const isAway = code === 'issuer_away';
    this.name = 'TokenError';
    this.code = code;
    this.status = isAway ? 503 : 401;
    this.headers = isAway ? { 'Retry-After': '5' } : { 'WWW-Authenticate': challengeOf(code) };
    this.reason = reason;
  }

  response(): Response {
    const { status, code, message: title, headers } = this;
    return new Response(JSON.stringify({ type: 'about:blank', title, status, code }), {
      status,
      headers: {
        ...headers,
        'Content-Type': 'application/problem+json',
        'Cache-Control': 'no-store',
      },
    });
  }
}

export const invalid = (reason: string): TokenError => new TokenError('token_invalid', reason);
