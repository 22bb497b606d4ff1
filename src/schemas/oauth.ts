import { z } from 'zod';
import { Confirmation } from './dpop.ts';
import { Resource } from './fields.ts';
import { TokenType } from './session.ts';

/** RFC 6749 section 5.2, RFC 7009 section 2.2.1, RFC 8707 section 2, RFC 9449 section 5. */
export const OAuthErrorCode = z
  .enum([
    'invalid_request',
    'invalid_client',
    'invalid_grant',
    'unsupported_grant_type',
    'invalid_scope',
    'invalid_target',
    'server_error',
    'temporarily_unavailable',
    'invalid_dpop_proof',
    'use_dpop_nonce',
  ])
  .meta({ id: 'OAuthErrorCode' });
export type OAuthErrorCode = z.infer<typeof OAuthErrorCode>;

export const OAuthProblem = z
  .object({ error: OAuthErrorCode, error_description: z.string() })
  .meta({
    id: 'OAuthProblem',
    description: 'Why an OAuth request was refused (RFC 6749 section 5.2).',
  });

const clientFields = {
  client_id: z.string().max(100).optional().describe('Required unless HTTP Basic carries it.'),
  client_secret: z.string().max(200).optional(),
};

const token = z.string().min(1).max(4096);

/** Unknown parameters are ignored (RFC 6749 section 3.2). */
export const TokenRequest = z
  .object({
    grant_type: z.string().min(1).max(100).describe('`client_credentials` or `refresh_token`.'),
    scope: z
      .string()
      .max(1_000)
      .optional()
      .describe(
        'Roles, separated by spaces. Without it, the token gets all roles of the service account.',
      ),
    refresh_token: token.optional(),
    resource: Resource.optional(),
    ...clientFields,
  })
  .meta({
    id: 'TokenRequest',
    description: 'Which grant, and its parameters (RFC 6749).',
    examples: [{ grant_type: 'client_credentials', scope: 'reports:read' }],
  });

export const TokenQuestion = z
  .object({ token, token_type_hint: z.string().max(100).optional(), ...clientFields })
  .meta({
    id: 'TokenQuestion',
    description: 'The token in question (RFC 7662, RFC 7009).',
    examples: [{ token: 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln' }],
  });

export const OAuthTokens = z
  .object({
    access_token: z.string(),
    token_type: TokenType,
    expires_in: z.int().min(0),
    scope: z.string().optional(),
    refresh_token: z.string().optional().describe('Only from the `refresh_token` grant.'),
  })
  .meta({
    id: 'OAuthTokens',
    description: 'The tokens (RFC 6749 section 5.1).',
    examples: [
      {
        access_token: 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln',
        token_type: 'Bearer',
        expires_in: 900,
        scope: 'reports:read',
      },
    ],
  });

/** RFC 7662 section 2.2. */
export const Introspection = z
  .object({
    active: z.boolean(),
    token_type: z.string().optional(),
    iss: z.string().optional(),
    aud: z.string().optional(),
    sub: z.string().optional(),
    client_id: z.string().optional(),
    iat: z.int().min(0).max(253_402_300_799).optional(),
    exp: z.int().min(0).max(253_402_300_799).optional(),
    jti: z.string().optional(),
    sid: z.string().optional(),
    cnf: Confirmation.optional(),
    scope: z.string().optional(),
  })
  // Custom claims.
  .catchall(z.unknown())
  .meta({
    id: 'Introspection',
    description: 'What the token says, if it is valid: with the custom claims of the account.',
    examples: [{ active: false }],
  });
