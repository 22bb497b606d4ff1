import { z } from 'zod';
import { CustomClaims } from './custom-claims.ts';

/** Milliseconds since 1970, up to the end of the year 9999: RFC 3339 has no later time. */
const Instant = z.int().min(0).max(253_402_300_799_999);

/** A member of the row's JSON. Unknown members are kept: a newer version may be running beside this one. */
const member = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.looseObject(shape) as unknown as z.ZodObject<Shape>;

export const Transport = z.enum(['body', 'cookie']).meta({ id: 'Transport' });

/** One sign-in on one device (RFC 9700: a refresh token family). */
export const Session = member({
  id: z.string(),
  /** The current generation: how often the session was refreshed. */
  gen: z.int(),
  created_at: Instant,
  /** The last rotation, or the sign-in if there was none. */
  rotated_at: Instant,
  /** The last retry that was accepted after its grace, because it had the right Idempotency-Key or the proof of the session's key. */
  retried_at: Instant.optional(),
  /** The rotations before that one whose grace may still run, newest first. */
  rotations: z.array(Instant).optional(),
  /** The idle or the absolute limit, whichever comes first. */
  expires_at: Instant,
  /** When and how the user last proved who they are; without it, at the sign-in. */
  authenticated_at: Instant.optional(),
  amr: z.array(z.string()),
  transport: Transport,
  /** The User-Agent, shortened. */
  client: z.string(),
  /** Hash of the Idempotency-Key of the last rotation. */
  attempt: z.string().optional(),
  /** The key to which it is bound (RFC 9449): the thumbprint. The refresh token counts only with its proof. */
  jkt: z.string().optional(),
  /** Bound, but its access tokens are Bearer tokens: the client chose so at the sign-in. */
  is_bearer: z.boolean().optional(),
  ended_at: Instant.optional(),
});
export type Session = z.infer<typeof Session>;

/** The failed guesses of one budget (`rules/throttle.ts`). */
export const Bucket = member({
  /** The budget (`rules/budget.ts`). */
  key: z.string(),
  failures: z.int(),
  failed_at: Instant,
  /** When the guesses that are being checked now began. */
  pending: z.array(Instant),
});
export type Bucket = z.infer<typeof Bucket>;

/** A TOTP secret, encrypted (`parts/second-factor/secret-box.ts`). */
const Totp = member({
  secret: z.string(),
  /** The 30-second step of the last accepted code. Each code is accepted once. */
  last_step: z.int(),
});

export const Mfa = member({
  /** In force. */
  totp: Totp.optional(),
  /** Pending until confirmed with a code. `tries`: wrong codes so far. */
  pending: Totp.extend({ tries: z.int().optional() }).optional(),
  recovery: member({
    salt: z.string(),
    /** The Argon2id parameters of the hashes. */
    cost: member({ memory: z.int(), passes: z.int() }),
    hashes: z.array(z.string()),
  }).optional(),
  /** Challenges that were tried or used, until they expire. */
  challenges: z.array(member({ id: z.string(), tries: z.int(), until: Instant })).default([]),
  /** Challenges that were issued before are void. */
  challenges_since: Instant.optional(),
});
export type Mfa = z.infer<typeof Mfa>;

/** A WebAuthn credential of the user. */
export const Passkey = member({
  /** The credential ID, in base64url. */
  id: z.string(),
  /** COSE (RFC 9052), in base64url. */
  public_key: z.string(),
  /** The signature counter of the last assertion. Many authenticators always say 0. */
  counter: z.int(),
  /** How browsers reach the authenticator, such as `internal` or `usb`. */
  transports: z.array(z.string()),
  name: z.string(),
  /** Whether the authenticator has copied it to other devices of its owner. */
  backed_up: z.boolean(),
  created_at: Instant,
  last_used_at: Instant.optional(),
  /** The challenges that it has answered, until they expire. */
  used: z.array(member({ id: z.string(), until: Instant })),
});
export type Passkey = z.infer<typeof Passkey>;

/** What decides which codes by mail are still right (`rules/mail-codes.ts`). */
const MailCodes = member({
  /** Rises with every sign-in and every right code: codes that were made before are wrong then. */
  counter: z.int().default(0),
  /** The codes that were tried, until they expire. */
  tried: z.array(member({ id: z.string(), tries: z.int(), until: Instant })).default([]),
});
/** An account at an outside provider that signs in: its issuer, `|` and its `sub`. In the column of the provider's slot. Or `!` and the ID of the user, if it was unlinked. */
const Identity = z.string().nullable().default(null);

/** A row of `users`. Nothing else is stored. */
export const User = z.object({
  id: z.string(),
  /** A decoy counts guesses at unknown addresses, and belongs to no user (`parts/storage/decoy-rows.ts`). */
  kind: z.enum(['person', 'service', 'decoy']),
  email: z.string().nullable(),
  email_key: z.string().nullable(),
  email_verified_at: Instant.nullable(),
  /**
   * Since when the account belongs to the holder of its mailbox. null: since it was made. 0: not yet, because someone else may
   * have chosen its password, and opening a mailed link does not tell.
   */
  claimed_at: Instant.nullable().default(null),
  /** Device tokens that were issued before belong to someone else. null: none do. */
  devices_since: Instant.nullable().default(null),
  name: z.string().nullable(),
  /** Of a person, as a PHC string. null: none chosen yet. */
  password_hash: z.string().nullable(),
  /** Of a service account (SHA-256), newest first. */
  secret_hashes: z.array(z.string()).nullable(),
  roles: z.array(z.string()),
  status: z.enum(['active', 'disabled', 'deleted']),
  /** Tokens of every kind with a lower `ver` are revoked. */
  token_version: z.int(),
  /** Access tokens with a lower `ver` are revoked. Never below `token_version`; goes up alone to revoke access tokens only. */
  access_version: z.int(),
  /** Reset letters sent so far: only the newest link is valid. */
  reset_letters: z.int(),
  sessions: z.array(Session),
  throttle: z.array(Bucket),
  mfa: Mfa,
  /** An export of a version without passkeys lacks it. */
  passkeys: z.array(Passkey).default([]),
  /** An export of a version without codes by mail lacks it. */
  mail_codes: MailCodes.default({ counter: 0, tried: [] }),
  identity_1: Identity,
  identity_2: Identity,
  identity_3: Identity,
  identity_4: Identity,
  /** The nonces of the ID tokens that apps have signed in with, until they expire. Each is used once. */
  used_nonces: z.array(member({ id: z.string(), until: Instant })).default([]),
  revoked_at: Instant.nullable(),
  row_version: z.int(),
  created_at: Instant,
  updated_at: Instant,
  last_login_at: Instant.nullable(),
  /** Copied into every access token. An export of a version without them lacks it. */
  claims: CustomClaims.default({}),
});
export type User = z.infer<typeof User>;

/** What the revocation snapshot needs. Few members of a session, so that sessions of other versions can be read too. */
export const RevokedUser = User.pick({ id: true, access_version: true, revoked_at: true }).extend({
  sessions: z.array(Session.pick({ id: true, ended_at: true })),
});
export type RevokedUser = z.infer<typeof RevokedUser>;
