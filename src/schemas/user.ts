import { z } from 'zod';

/** Milliseconds since 1970. */
const Instant = z.int();

export const Transport = z.enum(['body', 'cookie']);

/** One sign-in on one device: one refresh family. */
export const Session = z.object({
  id: z.string(),
  /** The generation of the one refresh token that may rotate now. */
  gen: z.int(),
  created_at: Instant,
  rotated_at: Instant,
  /** The earlier of the idle and the absolute end. */
  expires_at: Instant,
  amr: z.array(z.string()),
  transport: Transport,
  /** What the client called itself (User-Agent), shortened. */
  client: z.string(),
  /** Hash of the Idempotency-Key that the last rotation came with. */
  attempt: z.string().optional(),
  ended_at: Instant.optional(),
});
export type Session = z.infer<typeof Session>;

/** Failed guesses of one kind, from one place (`domain/guessing/throttle.ts`). */
export const Bucket = z.object({
  key: z.string(),
  failures: z.int(),
  failed_at: Instant,
  /** When the guesses began that are being checked right now. */
  pending: z.array(Instant),
});
export type Bucket = z.infer<typeof Bucket>;

/** A TOTP secret, encrypted (`domain/second-factor/secret-box.ts`). */
const Totp = z.object({
  secret: z.string(),
  /** The last 30-second step whose code was accepted: each is good once. */
  last_step: z.int(),
});

/** A second factor. */
export const Mfa = z.object({
  /** In force. */
  totp: Totp.optional(),
  /** Asked for, not yet proven with a code. */
  pending: Totp.optional(),
  recovery: z
    .object({
      salt: z.string(),
      /** What the hashes were made with (Argon2id). */
      cost: z.object({ memory: z.int(), passes: z.int() }),
      hashes: z.array(z.string()),
    })
    .optional(),
  /** Challenges that were tried or used, until they expire. */
  challenges: z.array(z.object({ id: z.string(), tries: z.int(), until: Instant })).default([]),
});
export type Mfa = z.infer<typeof Mfa>;

/** A row of `users`, the one thing that is remembered. */
export const User = z.object({
  id: z.string(),
  kind: z.enum(['person', 'service']),
  email: z.string().nullable(),
  email_key: z.string().nullable(),
  email_verified_at: Instant.nullable(),
  name: z.string().nullable(),
  password_hash: z.string().nullable(),
  roles: z.array(z.string()),
  status: z.enum(['active', 'disabled', 'deleted']),
  token_version: z.int(),
  sessions: z.array(Session),
  throttle: z.array(Bucket),
  mfa: Mfa,
  revoked_at: Instant.nullable(),
  row_version: z.int(),
  created_at: Instant,
  updated_at: Instant,
  last_login_at: Instant.nullable(),
});
export type User = z.infer<typeof User>;
