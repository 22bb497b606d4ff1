import { z } from 'zod';

/** Milliseconds since 1970, as far as a token and RFC 3339 can say it: to the year 9999. */
const Instant = z.int().min(0).max(253_402_300_799_999);

/** A member of the row's JSON. Keeps what it does not know: a newer version may be running beside this one. */
const member = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.looseObject(shape) as unknown as z.ZodObject<Shape>;

export const Transport = z.enum(['body', 'cookie']);

/** One sign-in on one device: one refresh family. */
export const Session = member({
  id: z.string(),
  /** The generation of the one refresh token that may rotate now. */
  gen: z.int(),
  created_at: Instant,
  /** The last rotation; the sign-in, where there was none. */
  rotated_at: Instant,
  /** When a retry came that only its key allowed. */
  retried_at: Instant.optional(),
  /** The rotations before that one, newest first, as long as the grace for them may run. */
  rotations: z.array(Instant).optional(),
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

/** Failed guesses of one kind, from one place (`rules/throttle.ts`). */
export const Bucket = member({
  key: z.string(),
  failures: z.int(),
  failed_at: Instant,
  /** When the guesses began that are being checked right now. */
  pending: z.array(Instant),
});
export type Bucket = z.infer<typeof Bucket>;

/** A TOTP secret, encrypted (`parts/second-factor/secret-box.ts`). */
const Totp = member({
  secret: z.string(),
  /** The last 30-second step whose code was accepted: each is good once. */
  last_step: z.int(),
});

/** A second factor. */
export const Mfa = member({
  /** In force. */
  totp: Totp.optional(),
  /** Asked for, not yet proven with a code. `tries`: wrong codes so far. */
  pending: Totp.extend({ tries: z.int().optional() }).optional(),
  recovery: member({
    salt: z.string(),
    /** What the hashes were made with (Argon2id). */
    cost: member({ memory: z.int(), passes: z.int() }),
    hashes: z.array(z.string()),
  }).optional(),
  /** Challenges that were tried or used, until they expire. */
  challenges: z.array(member({ id: z.string(), tries: z.int(), until: Instant })).default([]),
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
  /** Of a person, as a PHC string. null: none chosen yet. */
  password_hash: z.string().nullable(),
  /** Of a service account (SHA-256), newest first. */
  secret_hashes: z.array(z.string()).nullable(),
  roles: z.array(z.string()),
  status: z.enum(['active', 'disabled', 'deleted']),
  /** Tokens of every kind below it are dead. */
  token_version: z.int(),
  /** Access tokens below it are dead: it goes up alone when only they must die. Never below `token_version`. */
  access_version: z.int(),
  /** Letters with a reset link that were posted: only the newest link holds. */
  reset_letters: z.int(),
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

/** What the revocation snapshot needs of a row; a session of any version will do. */
export const RevokedUser = User.pick({ id: true, access_version: true, revoked_at: true }).extend({
  sessions: z.array(Session.pick({ id: true, ended_at: true })),
});
export type RevokedUser = z.infer<typeof RevokedUser>;
