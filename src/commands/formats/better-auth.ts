import { createReadStream } from 'node:fs';
import { elementsOf } from '../json-elements.ts';
import { UsageError } from '../usage-error.ts';
import { type Format, idOf, isTrue, nameOf, type Row, rolesOf, statusOf } from './format.ts';
import { scryptPhc } from './phc.ts';

/** better-auth, src/crypto/password.ts. The salt is hashed as the hexadecimal text that it is. */
const COST = { N: 16_384, r: 16, p: 1 };
const HASH = /^([0-9a-f]{32}):([0-9a-f]{128})$/;

function hashOf(password: unknown): unknown {
  const [, salt, hash] = HASH.exec(String(password)) ?? [];
  if (salt === undefined) return password;
  return scryptPhc(COST, { salt: Buffer.from(salt), hash: Buffer.from(hash as string, 'hex') });
}

function accountOf(text: string, number: number): Row {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`account ${number} of the file is not JSON`);
  }
}

/** The password of each user who has one. */
async function passwordsIn(file: string): Promise<Map<unknown, unknown>> {
  const passwords = new Map<unknown, unknown>();
  for await (const { number, text } of elementsOf(createReadStream(file), 'account')) {
    // Too long: tokens of another provider.
    if (text === undefined) continue;
    const { providerId, userId, password } = accountOf(text, number);
    if (providerId === 'credential') passwords.set(userId, password);
  }
  return passwords;
}

/**
 * A document with the rows of both tables: `{"user":[…],"account":[…]}` (better-auth.com/docs/concepts/database). Holds
 * the hashes in memory, about 300 bytes for each user. TOTP secrets are encrypted there with a key that is not in it.
 */
export const betterAuth: Format = {
  file: '{"user":[…],"account":[…]}: the rows of these tables',
  member: 'user',
  open: async ({ file }) => {
    const passwords = await passwordsIn(file);
    return ({ id, email, name, emailVerified, role, banned, twoFactorEnabled }) => ({
      user: {
        ...idOf(id),
        email,
        name: nameOf(name),
        password_hash: passwords.has(id) ? hashOf(passwords.get(id)) : null,
        email_verified: isTrue(emailVerified),
        roles: rolesOf(role),
        status: statusOf(isTrue(banned)),
      },
      hasLostFactor: isTrue(twoFactorEnabled),
    });
  },
};
