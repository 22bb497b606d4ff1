import { z } from 'zod';
import { Email, Name, Roles } from './fields.ts';

/** One line of an import: a user as another system knew him. */
export const ImportedUser = z.strictObject({
  /** Also one that would not be given to a new account: its owner has it. */
  email: Email,
  name: Name.nullable().default(null),
  /** bcrypt, or Argon2, scrypt, PBKDF2 as PHC strings. Absent: the user asks for a new password. */
  password_hash: z.string().max(500).nullable().default(null),
  roles: Roles.default([]),
  email_verified: z.boolean().default(false),
  status: z.enum(['active', 'disabled']).default('active'),
});
export type ImportedUser = z.infer<typeof ImportedUser>;
