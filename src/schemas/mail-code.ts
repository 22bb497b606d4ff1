import { z } from 'zod';
import { Email, MailCode, Resource, Token } from './fields.ts';
import { TransportChoice } from './session.ts';

const TOKEN = 'eyJhbGciOiJIUzI1NiIsInR5cCI6Im1haWwtY29kZStqd3QifQ.e30.c2ln';

const device_token = Token.optional().describe('The one from an earlier sign-in on this device.');

export const MailCodeRequest = z.strictObject({ email: Email, device_token }).meta({
  id: 'MailCodeRequest',
  description: 'The address of the account.',
  examples: [{ email: 'ada@example.com' }],
});

export const SentMailCode = z
  .object({
    code_token: z
      .string()
      .describe('Keep it in the app or page that asked: the code works only with it.'),
    expires_in: z.int().min(0).describe('Seconds.'),
  })
  .meta({
    id: 'SentMailCode',
    description: 'If the address has an account, a code is on its way.',
    examples: [{ code_token: TOKEN, expires_in: 600 }],
  });

export const MailCodeSignIn = z
  .strictObject({
    code_token: Token,
    code: MailCode,
    transport: TransportChoice,
    device_token,
    resource: Resource.optional(),
  })
  .meta({
    id: 'MailCodeSignIn',
    description: 'The code of the email, and the token of the request that it was sent for.',
    examples: [{ code_token: TOKEN, code: '40817263' }],
  });
