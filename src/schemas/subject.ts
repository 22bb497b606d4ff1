import { z } from 'zod';

const EmailSubject = z
  .strictObject({
    format: z.literal('email'),
    email: z.string().min(1).max(254).describe('The present address of the user.'),
  })
  .meta({ id: 'EmailSubject' });

const OpaqueSubject = z
  .strictObject({
    format: z.literal('opaque'),
    id: z.string().min(1).max(64).describe('User ID: `sub` of the access tokens.'),
  })
  .meta({ id: 'OpaqueSubject' });

const IssuerSubject = z
  .strictObject({
    format: z.literal('iss_sub'),
    iss: z.string().min(1).max(2_048).describe('`iss` of the access tokens.'),
    sub: z.string().min(1).max(64).describe('User ID.'),
  })
  .meta({ id: 'IssuerSubject' });

/** Who a request is about (RFC 9493 section 3.2), as far as this service can tell. */
export const SubjectIdentifier = z
  .discriminatedUnion('format', [EmailSubject, OpaqueSubject, IssuerSubject])
  .meta({
    id: 'SubjectIdentifier',
    description: 'A user (RFC 9493), by address or by ID.',
    examples: [{ format: 'email', email: 'ada@example.com' }],
  });
export type SubjectIdentifier = z.infer<typeof SubjectIdentifier>;
