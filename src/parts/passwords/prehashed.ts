import { createHash, createHmac } from 'node:crypto';

interface Prehashed {
  /** The bcrypt hash. */
  bcrypt: string;
  /** What of the password was hashed with bcrypt. */
  of(password: string): string;
}

/** Hashes the password first, so that bcrypt's limit of 72 bytes does not cut it. */
const SYSTEMS: { prefix: string; of: Prehashed['of'] }[] = [
  // WordPress 6.8, `wp_hash_password` in wp-includes/pluggable.php.
  {
    prefix: '$wp$2y$',
    of: (password) => createHmac('sha384', 'wp-sha384').update(password.trim()).digest('base64'),
  },
  // Django, `BCryptSHA256PasswordHasher` in django/contrib/auth/hashers.py.
  {
    prefix: 'bcrypt_sha256$$2b$',
    of: (password) => createHash('sha256').update(password).digest('hex'),
  },
];

/** The parts of a bcrypt hash of a hash; undefined: it is none. */
export function prehashed(hash: string): Prehashed | undefined {
  const system = SYSTEMS.find(({ prefix }) => hash.startsWith(prefix));
  if (system === undefined) return undefined;
  return { bcrypt: hash.slice(system.prefix.length - '$2y$'.length), of: system.of };
}
