import { z } from 'zod';
import { NewCustomClaims } from './custom-claims.ts';
import { cleanName, Email, Name, Roles } from './fields.ts';
import { User } from './user.ts';

/** Who the user is at the provider of a slot: its issuer, `|`, and its `sub` (OpenID Connect Core section 2). */
const ImportedIdentity = z
  .string()
  .max(1_024)
  .regex(/^https?:\/\/[^\s?#@*|]+\|[\x20-\x7e]{1,255}$/, { error: 'must be ISSUER|SUB' })
  .nullable()
  .default(null);

/** One line of an import: a user of another system. */
export const ImportedUser = z.strictObject({
  /** Without it, the user gets a new one. */
  id: z.uuid().toLowerCase().optional(),
  /** `NewEmail` is stricter, but the owner already uses this address. */
  email: Email,
  /** The owner already has it: it loses what `Name` refuses now, and the account stays. */
  name: z.string().transform(cleanName).pipe(Name).nullable().default(null),
  /** A form that `foreign-hashes.ts` knows, or Argon2 as a PHC string. Without it, the user must ask for a new password. */
  password_hash: z.string().max(500).nullable().default(null),
  roles: Roles.default([]),
  email_verified: z.boolean().default(false),
  status: z.enum(['active', 'disabled']).default('active'),
  /** Base32 (RFC 4648), for six digits, 30 seconds and SHA-1 (RFC 6238). */
  totp_secret: z
    .string()
    .regex(/^[A-Za-z2-7]{16,128}=*$/, { error: 'must be base32' })
    .optional(),
  /** Custom claims, for the access tokens. */
  claims: NewCustomClaims.default({}),
  identity_1: ImportedIdentity,
  identity_2: ImportedIdentity,
  identity_3: ImportedIdentity,
  identity_4: ImportedIdentity,
});
export type ImportedUser = z.infer<typeof ImportedUser>;

/**
 * A line of an export with secrets. Strict: a column that this version does not know would be lost.
 */
export const MovedRow = z.strictObject({
  row: z.strictObject({ ...User.shape, id: z.uuid(), claims: NewCustomClaims.default({}) }),
});

/** The last line of an export with secrets. */
export const MovedRowsEnd = z.strictObject({ end: z.strictObject({ rows: z.int() }) });
