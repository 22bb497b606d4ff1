import { rowsOf } from '../foreign-rows.ts';
import { UsageError } from '../usage-error.ts';
import {
  type Format,
  idOf,
  isSet,
  isTrue,
  nameOf,
  type Row,
  rolesOf,
  type Source,
  statusOf,
} from './format.ts';
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

/** Adapters write the columns in camel case or with underscores. */
const column = (name: string) => name.replaceAll(/_([a-z])/g, (_, letter) => letter.toUpperCase());

/** In a file of its own, in the document, or in the table of users if the two were joined. */
const shapeOf = (accounts: string | undefined) =>
  accounts === undefined
    ? { member: 'account', csv: { columns: ['id', 'password'], column } }
    : { csv: { columns: ['userId', 'providerId', 'password'], column } };

/** The password of each user who has one. */
async function passwordsIn({ file, accounts }: Source): Promise<Map<unknown, unknown>> {
  const passwords = new Map<unknown, unknown>();
  for await (const { number, text } of rowsOf(accounts ?? file, shapeOf(accounts))) {
    // Too long: tokens of another provider.
    if (text === undefined) continue;
    const { id, userId = id, providerId = 'credential', password } = accountOf(text, number);
    if (providerId === 'credential' && isSet(password)) passwords.set(userId, password);
  }
  return passwords;
}

/**
 * The rows of both tables (better-auth.com/docs/concepts/database): a document `{"user":[…],"account":[…]}`, two files,
 * or one of the tables joined. Holds the hashes in memory, about 300 bytes for each user. TOTP secrets are encrypted
 * there with a key that is not in the tables.
 */
export const betterAuth: Format = {
  file: '{"user":[…],"account":[…]}, or the two tables as CSV: --accounts',
  member: 'user',
  csv: { columns: ['id', 'email'], column },
  open: async (source) => {
    const passwords = await passwordsIn(source);
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
