import { z } from 'zod';

const CODES = [
  'malformed_json',
  'ambiguous_credentials',
  'bad_request',
  'token_missing',
  'token_expired',
  'token_revoked',
  'token_invalid',
  'token_bound',
  'invalid_dpop_proof',
  'use_dpop_nonce',
  'step_up_required',
  'second_factor_required',
  'invalid_credentials',
  'refresh_missing',
  'refresh_invalid',
  'refresh_reused',
  'wrong_password',
  'wrong_code',
  'invalid_code',
  'challenge_invalid',
  'passkey_refused',
  'passkey_copied',
  'passkey_invalid',
  'mail_code_refused',
  'provider_refused',
  'link_invalid',
  'forbidden',
  'origin_forbidden',
  'https_required',
  'sign_up_closed',
  'email_verification_required',
  'email_unverified',
  'provider_unlinked',
  'not_found',
  'method_not_allowed',
  'request_timeout',
  'email_taken',
  'mfa_enabled',
  'mfa_not_enabled',
  'last_way_in',
  'identity_taken',
  'too_many_passkeys',
  'last_admin',
  'body_too_large',
  'unsupported_media_type',
  'invalid_input',
  'invalid_target',
  'rate_limited',
  'throttled',
  'headers_too_large',
  'internal_error',
  'overloaded',
  'provider_unavailable',
  'unavailable',
] as const;

/** The closed list of everything this service can say no with. */
export const ProblemCode = z
  .enum(CODES)
  .meta({ id: 'ProblemCode', description: 'Each has a page: `/problems/<code>`.' });
export type ProblemCode = z.infer<typeof ProblemCode>;

export const InputFault = z
  .object({
    path: z.string().describe('Where in the request, as a JSON Pointer (RFC 6901).'),
    message: z.string(),
  })
  .meta({ id: 'InputFault', description: 'What is wrong with one field.' });
export type InputFault = z.infer<typeof InputFault>;

/** RFC 9457. */
export const Problem = z
  .object({
    type: z
      .string()
      .describe(
        '`/problems/<code>`, below the path of this server: a page that explains the code.',
      ),
    title: z.string(),
    status: z.int().min(400).max(599),
    detail: z.string(),
    code: ProblemCode,
    instance: z.string().describe('The id of this request, as the log has it.'),
    errors: z.array(InputFault).optional(),
  })
  .meta({ id: 'Problem', description: 'Why a request was refused (RFC 9457).' });
export type Problem = z.infer<typeof Problem>;
