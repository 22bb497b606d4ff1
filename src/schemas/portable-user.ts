import { z } from 'zod';
import { Email, Name, Roles } from './fields.ts';

/** One line of an import: a user of another system. */
export const ImportedUser = z.strictObject({
  /** `NewEmail` is stricter, but the owner already uses this address. */
  email: Email,
  name: Name.nullable().default(null),
  /** bcrypt, or Argon2, scrypt or PBKDF2 as a PHC string. Without it, the user must ask for a new password. */
  password_hash: z.string().max(500).nullable().default(null),
  roles: Roles.default([]),
  email_verified: z.boolean().default(false),
  status: z.enum(['active', 'disabled']).default('active'),
});
export type ImportedUser = z.infer<typeof ImportedUser>;
