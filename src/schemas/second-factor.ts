import { z } from 'zod';
import { Code, Password, RecoveryCode } from './fields.ts';
import { Assertion } from './webauthn.ts';

/** The codes that prove the second factor; a request has exactly one. */
const codeFields = { code: Code.optional(), recovery_code: RecoveryCode.optional() };

/** Every way to prove a factor; a request has exactly one. */
export const proofFields = { ...codeFields, passkey: Assertion.optional() };

const exactlyOne = { error: 'is required, or else recovery_code, but not both', path: ['code'] };

/** Whether exactly one of these proofs was sent. */
export const isOneProof = (...proofs: unknown[]): boolean =>
  proofs.filter((proof) => proof !== undefined).length === 1;

/** The password, and a proof of the second factor. */
export const PasswordAndProof = z
  .strictObject({ password: Password, ...codeFields })
  .refine(({ code, recovery_code }) => isOneProof(code, recovery_code), exactlyOne)
  .meta({
    id: 'PasswordAndProof',
    description:
      'The password, and a proof of the second factor: one of `code` and `recovery_code`.',
    examples: [{ password: 'correct horse battery staple', code: '492039' }],
  });

export const ChallengeBody = z
  .strictObject({ mfa_token: z.string().min(1).max(4096), ...proofFields })
  .refine(({ code, recovery_code, passkey }) => isOneProof(code, recovery_code, passkey), {
    error: 'is required, or else recovery_code or passkey, and only one of them',
    path: ['code'],
  })
  .meta({
    id: 'ChallengeAnswer',
    description:
      'The token of the challenge, and a proof: one of `code`, `recovery_code` and `passkey`.',
    examples: [
      { mfa_token: 'eyJhbGciOiJIUzI1NiIsInR5cCI6Im1mYStqd3QifQ.e30.c2ln', code: '492039' },
    ],
  });

const Method = z.enum(['passkey', 'totp', 'recovery_code']).meta({ id: 'FactorMethod' });

export const Challenge = z
  .object({
    mfa_token: z.string().describe('Send it to `/v1/login/mfa` with a code or a passkey.'),
    methods: z.array(Method),
    expires_in: z.int().min(0).describe('Seconds.'),
  })
  .meta({
    id: 'Challenge',
    description: 'The first step was right. The second factor is required too.',
    examples: [
      {
        mfa_token: 'eyJhbGciOiJIUzI1NiIsInR5cCI6Im1mYStqd3QifQ.e30.c2ln',
        methods: ['totp', 'recovery_code'],
        expires_in: 300,
      },
    ],
  });

export const RecoveryCodes = z
  .object({
    recovery_codes: z.array(z.string()).describe('Shown only once. Each can replace a code once.'),
  })
  .meta({
    id: 'RecoveryCodes',
    description: 'The recovery codes. They are shown only this once.',
    examples: [{ recovery_codes: ['K3QW-7ZP2-MNB4-XA5T'] }],
  });

export const Enrolment = z
  .object({
    secret: z.string().describe('Base32, to type into an authenticator app.'),
    otpauth_uri: z.string(),
    qr_svg: z.string().describe('The URI as a QR code.'),
  })
  .meta({
    id: 'Enrolment',
    description: 'Pending until confirmed with a code.',
    examples: [
      {
        secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
        otpauth_uri:
          'otpauth://totp/Latchkey:ada%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Latchkey',
        qr_svg: '<svg xmlns="http://www.w3.org/2000/svg"></svg>',
      },
    ],
  });
