import { createReadStream } from 'node:fs';
import { CommandFault } from '../command-fault.ts';
import { EX_DATAERR } from '../exit-codes.ts';
import { readerOf } from '../foreign-rows.ts';
import { TOO_LONG } from '../import-lines.ts';
import {
  type Format,
  idOf,
  isRow,
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

const unreadable = (number: number, why: string) =>
  new CommandFault(`account ${number} of the file ${why}`, EX_DATAERR);

function accountOf(text: string, number: number): Row {
  let account: unknown;
  try {
    account = JSON.parse(text);
  } catch {
    throw unreadable(number, 'is not JSON');
  }
  if (!isRow(account)) throw unreadable(number, 'is not an object');
  return account;
}

/** Adapters write the columns in camel case or with underscores. */
const column = (name: string) => name.replaceAll(/_([a-z])/g, (_, letter) => letter.toUpperCase());

/** In a file of its own, in the document, or in the table of users if the two were joined. */
const shapeOf = (accounts: string | undefined) =>
  accounts === undefined
    ? { member: 'account', csv: { columns: ['id', 'password'], column } }
    : { csv: { columns: ['userId', 'providerId', 'password'], column } };

/** The users and the accounts are the same rows, and one that cannot be read is refused as a user. */
const isJoined = ({ file, accounts }: Source): boolean =>
  accounts === undefined && /\.csv$/i.test(file);

/**
 * The password of each user who has one. Throws CommandFault if an account cannot be read: its user would be added
 * without a password.
 */
async function passwordsIn(source: Source): Promise<Map<unknown, unknown>> {
  const { file, accounts } = source;
  const passwords = new Map<unknown, unknown>();
  const path = accounts ?? file;
  const rowsOf = readerOf(path, shapeOf(accounts));
  for await (const { number, text, reason } of rowsOf(createReadStream(path))) {
    if (text === undefined) {
      // Too long: tokens of another provider.
      if (reason === TOO_LONG || isJoined(source)) continue;
      throw unreadable(number, String(reason));
    }
    const { id, userId = isJoined(source) ? id : undefined, ...account } = accountOf(text, number);
    const { providerId = 'credential', password } = account;
    if (providerId !== 'credential' || !isSet(password)) continue;
    if (!isSet(userId)) throw unreadable(number, 'has a password, and no userId');
    passwords.set(userId, password);
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
