import type { OpenAPIV3_1 } from 'openapi-types';

type Header = OpenAPIV3_1.HeaderObject;

/** Every answer for which it is declared has it. */
const always = (header: Header): Header => ({ ...header, required: true });
const count = (description: string, example: number): Header => ({
  description,
  schema: { type: 'integer', minimum: 0 },
  example,
});
const text = (description: string, example: string): Header => ({
  description,
  schema: { type: 'string' },
  example,
});

/** The response headers that a client may rely on, by the name that the document gives them. */
export const headers = {
  'Cache-Control': always(
    text('`no-store` on everything that carries a token or a user.', 'no-store'),
  ),
  'RateLimit-Limit': count('Requests allowed in each window. Absent where limits are off.', 600),
  'RateLimit-Remaining': count('Requests left in this window.', 599),
  'RateLimit-Reset': count('Seconds until the next window begins.', 60),
  'Retry-After': always(
    count('Seconds to wait before the next request (RFC 9110 section 10.2.3).', 30),
  ),
  'WWW-Authenticate': always(
    text(
      'How to authenticate, and what is wrong with the token (RFC 6750 section 3).',
      'Bearer realm="Latchkey"',
    ),
  ),
  /** `WWW-Authenticate` of a 403. */
  'Insufficient-Scope': text(
    'With the code `forbidden`: the token lacks the role (RFC 6750 section 3.1).',
    'Bearer realm="Latchkey", error="insufficient_scope"',
  ),
  'Set-Cookie': text(
    'With `transport: cookie`: the refresh token, or the device token, as an HttpOnly cookie. With `Max-Age=0`: the cookie is removed.',
    '__Secure-latchkey_refresh=eyJhbGciOi...; Path=/v1; HttpOnly; Secure; SameSite=Strict',
  ),
  'X-Auth-Subject': text(
    'The user ID (`sub`), for nginx and Envoy.',
    '01990d6e-7c3f-7a51-9c6b-0c1d2e3f4a5b',
  ),
  'X-Auth-Roles': text('The roles, joined by commas; empty without any.', 'admin'),
  'X-Auth-Session': text('The session ID (`sid`).', 'q83vEjRWeJCrze8SNFZ4kA'),
  Location: always(
    text('Where the browser goes (RFC 9110 section 10.2.2).', 'https://auth.example.com/account'),
  ),
  ETag: text('Changes with the content.', '"mW1cPqSBXr8"'),
  'Preference-Applied': text('The answer was allowed to wait (RFC 7240).', 'wait=20'),
  'DPoP-Nonce': text(
    'The nonce for the next DPoP proof (RFC 9449 section 8), if the client has to use one.',
    'AABrBPmgcDIdpPVH6l4UFDG7EaUAsQ',
  ),
} satisfies Record<string, Header>;

export type HeaderName = keyof typeof headers;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Response headers that only this route sends, by status. Those of every answer are added. */
    headers?: Record<number, HeaderName[]>;
  }
}

const ON_EVERY_ANSWER: HeaderName[] = [
  'Cache-Control',
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'DPoP-Nonce',
];

const ON_STATUS: Record<number, HeaderName[]> = {
  401: ['WWW-Authenticate'],
  403: ['Insufficient-Scope'],
  429: ['Retry-After'],
  503: ['Retry-After'],
};

/** The headers of the answers with this status; `own` are those that the route declares. */
export const headersOf = (status: number, own: HeaderName[] = []): Record<string, object> =>
  Object.fromEntries(
    [...ON_EVERY_ANSWER, ...(ON_STATUS[status] ?? []), ...own].map((name) => [
      name === 'Insufficient-Scope' ? 'WWW-Authenticate' : name,
      { $ref: `#/components/headers/${name}` },
    ]),
  );
