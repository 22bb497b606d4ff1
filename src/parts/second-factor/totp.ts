import { Secret, TOTP } from 'otpauth';
import type { Mfa, User } from '../../schemas/user.ts';
import { isSame } from '../is-same.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { seal, unseal } from './secret-box.ts';

type Totp = NonNullable<Mfa['totp']>;

/** Milliseconds. */
const PERIOD = 30_000;

const totpOf = (secret: Secret) =>
  new TOTP({ algorithm: 'SHA1', digits: 6, period: PERIOD / 1_000, secret });

const stepAt = (now: number): number => Math.floor(now / PERIOD);

/** A new TOTP secret (RFC 6238), pending until confirmed with a code. `now`: milliseconds. */
export function newTotp(
  keys: KeyRing,
  user: User,
  now: number,
): { pending: Mfa['pending']; secret: Secret } {
  const secret = new Secret({ size: 20 });
  return {
    secret,
    pending: { secret: seal(keys, { secret: secret.base32, userId: user.id, now }), last_step: 0 },
  };
}

interface Label {
  email: string;
  product: string;
}

/** Without the characters at which apps split a label (colon) and parameters (ampersand): some decode before they split. */
const unsplit = (text: string): string => text.replaceAll(/[\s:&]+/g, ' ').trim();

/** Percent-encodes all but letters, digits and `-_.~`. Apps disagree whether `+` is a space. */
const encoded = (text: string): string =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/** The content of the QR code for an authenticator app (Google Authenticator's Key Uri Format). */
export function otpauthUri(secret: Secret, { email, product }: Label): string {
  const [issuer, account] = [product, email].map((text) => encoded(unsplit(text)));
  return `otpauth://totp/${issuer}:${account}?secret=${secret.base32}&issuer=${issuer}`;
}

/**
 * The TOTP with the step of this code spent, or undefined if the code is wrong, too old or was used before (RFC 6238
 * section 5.2). Accepts the current 30-second step and the one before. `now`: milliseconds. Throws UnreadableRow.
 */
export function withCodeSpent(
  keys: KeyRing,
  { totp, code, userId, now }: { totp: Totp; code: string; userId: string; now: number },
): Totp | undefined {
  const secret = unseal(keys, totp.secret, userId);
  const generator = totpOf(Secret.fromBase32(secret));
  const step = [stepAt(now), stepAt(now) - 1].find((candidate) =>
    isSame(generator.generate({ timestamp: candidate * PERIOD }), code),
  );
  if (step === undefined || step <= totp.last_step) return undefined;
  // Encrypted again, so that it moves to the current master secret.
  return { ...totp, secret: seal(keys, { secret, userId, now }), last_step: step };
}
