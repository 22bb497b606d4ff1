import { z } from 'zod';
import { Resource, Time, Token } from './fields.ts';
import { Transport } from './user.ts';

export const TokenType = z
  .enum(['Bearer', 'DPoP'])
  .meta({ id: 'TokenType', description: '`DPoP`: bound to the key of a DPoP proof (RFC 9449).' });

/** The answer of every sign-in and every refresh (RFC 6749 section 5.1). */
export const TokenAnswer = z
  .object({
    access_token: z.string(),
    token_type: TokenType,
    expires_in: z.int().min(0).describe('Seconds until the access token expires.'),
    refresh_token: z.string().optional().describe('Absent if the tokens travel in cookies.'),
    refresh_expires_in: z
      .int()
      .min(0)
      .describe('Seconds until the session expires if it is not refreshed.'),
    refresh_after: z
      .int()
      .min(0)
      .describe(
        'Seconds to wait before the next refresh. Varies, so that clients do not all refresh at once.',
      ),
    session_id: z.string(),
    device_token: z
      .string()
      .optional()
      .describe('Send it with the next sign-in. Absent if the tokens travel in cookies.'),
  })
  .meta({
    id: 'Tokens',
    description: 'New tokens.',
    examples: [
      {
        access_token: 'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6Ii4uLiJ9.e30.c2ln',
        token_type: 'Bearer',
        expires_in: 900,
        refresh_token: 'eyJhbGciOiJIUzI1NiIsInR5cCI6InJlZnJlc2grand0Iiwia2lkIjoiLi4uIn0.e30.c2ln',
        refresh_expires_in: 1209600,
        refresh_after: 690,
        session_id: 'q83vEjRWeJCrze8SNFZ4kA',
        device_token: 'eyJhbGciOiJIUzI1NiIsInR5cCI6ImRldmljZStqd3QiLCJraWQiOiIuLi4ifQ.e30.c2ln',
      },
    ],
  });

export const TransportChoice = Transport.default('body').describe(
  'How the refresh and device tokens travel: in the body, or as HttpOnly cookies.',
);

export const RefreshBody = z
  .strictObject({ refresh_token: Token.optional() })
  .meta({
    id: 'PresentedRefreshToken',
    description: 'The refresh token, unless a cookie carries it.',
    examples: [
      { refresh_token: 'eyJhbGciOiJIUzI1NiIsInR5cCI6InJlZnJlc2grand0Iiwia2lkIjoiLi4uIn0.e30.c2ln' },
    ],
  })
  .optional();

export const RefreshRequest = z
  .strictObject({ refresh_token: Token.optional(), resource: Resource.optional() })
  .meta({
    id: 'RefreshRequest',
    description: 'The refresh token, unless a cookie carries it, and whom the access token is for.',
    examples: [
      { refresh_token: 'eyJhbGciOiJIUzI1NiIsInR5cCI6InJlZnJlc2grand0Iiwia2lkIjoiLi4uIn0.e30.c2ln' },
    ],
  })
  .optional();

export const SessionView = z
  .object({
    id: z.string(),
    client: z.string().describe('The `User-Agent` of the sign-in.'),
    transport: Transport,
    amr: z.array(z.string()),
    created_at: Time,
    refreshed_at: Time,
    expires_at: Time,
    current: z.boolean().describe('Whether this request belongs to the session.'),
  })
  .meta({
    id: 'Session',
    description: 'One sign-in on one device.',
    examples: [
      {
        id: 'q83vEjRWeJCrze8SNFZ4kA',
        client: 'Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0',
        transport: 'cookie',
        amr: ['pwd'],
        created_at: '2026-11-23T18:00:00.000Z',
        refreshed_at: '2026-11-23T18:12:00.000Z',
        expires_at: '2026-12-07T18:12:00.000Z',
        current: true,
      },
    ],
  });

/** The empty body of a 204. */
export const NoContent = z.null();
