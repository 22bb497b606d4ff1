import { z } from 'zod';
import { Password, Resource } from './fields.ts';
import { isOneProof, proofFields } from './second-factor.ts';
import { TokenType } from './session.ts';

export const StepUpProof = z
  .strictObject({
    password: Password.optional(),
    ...proofFields,
    resource: Resource.optional(),
  })
  .refine(({ resource: _resource, ...proof }) => isOneProof(...Object.values(proof)), {
    error: 'is required, or else code, recovery_code or passkey, and only one of them',
    path: ['password'],
  })
  .meta({
    id: 'StepUpProof',
    description: 'One of `password`, `code`, `recovery_code` and `passkey`.',
    examples: [{ password: 'correct horse battery staple' }],
  });

export const StepUp = z
  .object({
    access_token: z.string().describe('Use it from now on. The one before stays valid too.'),
    token_type: TokenType,
    expires_in: z.int().min(0).describe('Seconds until it expires.'),
  })
  .meta({
    id: 'StepUp',
    description: 'An access token with a new `auth_time`.',
    examples: [
      {
        access_token: 'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6Ii4uLiJ9.e30.c2ln',
        token_type: 'Bearer',
        expires_in: 900,
      },
    ],
  });
