import { z } from 'zod';
import { Email, Name, Roles } from './fields.ts';
import { User } from './user.ts';

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

/**
 * A line of an export with secrets. Strict: a column that this version does not know would be lost.
 */
export const MovedRow = z.strictObject({ row: z.strictObject({ ...User.shape, id: z.uuid() }) });

/** The last line of an export with secrets. */
export const MovedRowsEnd = z.strictObject({ end: z.strictObject({ rows: z.int() }) });
