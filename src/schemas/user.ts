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
  revoked_at: Instant.nullable(),
  row_version: z.int(),
  created_at: Instant,
  updated_at: Instant,
  last_login_at: Instant.nullable(),
});
export type User = z.infer<typeof User>;
