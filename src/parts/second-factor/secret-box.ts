import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { derive } from '../keys/derived-keys.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { UnreadableRow } from '../storage/users.ts';

const CIPHER = 'aes-256-gcm';
const TAG_LENGTH = 16;

/** Encrypts `secret` for the row of `userId`: it cannot be decrypted in another row, or if altered. `now`: milliseconds. */
export function seal(
  keys: KeyRing,
  { secret, userId, now }: { secret: string; userId: string; now: number },
): string {
  const { kid, secret: master } = keys.masterInUse(now);
  const nonce = randomBytes(12);
  const cipher = createCipheriv(CIPHER, derive(master, 'totp'), nonce).setAAD(Buffer.from(userId));
  const text = Buffer.concat([cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
  return [kid, nonce.toString('base64url'), text.toString('base64url')].join('.');
}

function open(
  master: Buffer,
  { nonce, text, userId }: { nonce: string; text: string; userId: string },
): string {
  const bytes = Buffer.from(text, 'base64url');
  const decipher = createDecipheriv(
    CIPHER,
    derive(master, 'totp'),
    Buffer.from(nonce, 'base64url'),
    // Otherwise a shortened tag, which is easier to guess, would be accepted.
    { authTagLength: TAG_LENGTH },
  )
    .setAAD(Buffer.from(userId))
    .setAuthTag(bytes.subarray(-TAG_LENGTH));
  const secret = [decipher.update(bytes.subarray(0, -TAG_LENGTH)), decipher.final()];
  return Buffer.concat(secret).toString();
}

/** The secret. Throws UnreadableRow if the master secret is gone, the row is another user's, or a byte was changed. */
export function unseal(keys: KeyRing, sealed: string, userId: string): string {
  const [kid = '', nonce = '', text = ''] = sealed.split('.');
  const master = keys.masterOf(kid);
  if (master === undefined)
    throw new UnreadableRow(userId, `the master secret ${kid} of the TOTP secret is gone`);
  try {
    return open(master.secret, { nonce, text, userId });
  } catch {
    throw new UnreadableRow(userId, 'the TOTP secret is damaged or of another row');
  }
}

/** The `kid` of the master secret that can decrypt it. */
export const sealerOf = (sealed: string): string => sealed.slice(0, sealed.indexOf('.'));

/** Encrypted again with the master secret in use. Throws UnreadableRow, as `unseal` does. */
export const resealed = (
  keys: KeyRing,
  { sealed, userId, now }: { sealed: string; userId: string; now: number },
): string => seal(keys, { secret: unseal(keys, sealed, userId), userId, now });
