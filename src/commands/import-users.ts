import { createReadStream, statSync } from 'node:fs';
import type { z } from 'zod';
import { newUserId } from '../parts/ids.ts';
import type { KeyRing } from '../parts/keys/key-ring.ts';
import { isVerifiable } from '../parts/passwords/foreign-hashes.ts';
import { seal } from '../parts/second-factor/secret-box.ts';
import type { Users } from '../parts/storage/users.ts';
import { newPerson } from '../rules/accounts.ts';
import type { Clock } from '../rules/clock.ts';
import { messageOf } from '../schemas/messages.ts';
import { ImportedUser } from '../schemas/portable-user.ts';
import type { User } from '../schemas/user.ts';
import { escaped } from './escaped.ts';
import { converterOf, type ForeignOptions, foreignReader } from './foreign-users.ts';
import { linesOf } from './import-lines.ts';
import { MovedRows } from './moved-rows.ts';

/** Rows per commit. */
const BATCH = 1_000;
/** Characters per commit: bounds the memory if rows are large. */
const MAX_BATCH_LENGTH = 8_000_000;

export interface ImportReport {
  /** A refused line, and the reason. */
  refused(line: number, reason: string): void;
  /** Bytes read so far, and in total. */
  progress(read: number, total: number): void;
}

export interface ImportResult {
  added: number;
  /** The address or the ID already has an account: from an earlier run, or from an earlier line. */
  present: number;
  refused: number;
}

/** Always one line: names from the file are quoted. */
const reasonOf = (issue: z.core.$ZodIssue): string =>
  issue.code === 'unrecognized_keys'
    ? `${issue.keys.map((key) => JSON.stringify(key)).join(', ')} is not a known member`
    : [...issue.path, issue.message].join(' ');

function jsonOf(line: string): { input: unknown } | undefined {
  try {
    return { input: JSON.parse(line) };
  } catch {
    return undefined;
  }
}

/** In force at once. Without recovery codes: those of the other system mean nothing here. */
function secondFactor(
  keys: KeyRing,
  { secret, userId, now }: Parameters<typeof seal>[1],
): User['mfa'] {
  const base32 = secret.replaceAll('=', '').toUpperCase();
  const totp = { secret: seal(keys, { secret: base32, userId, now }), last_step: 0 };
  return { totp, challenges: [] };
}

function personOf(
  input: unknown,
  { keys, now, faultOf }: Pick<Import, 'keys' | 'faultOf'> & { now: number },
): User | string {
  const { success, data, error } = ImportedUser.safeParse(input, { error: messageOf });
  if (!success) return error.issues.map(reasonOf).join('; ');
  const { email, name, password_hash, roles, status, email_verified, totp_secret, claims } = data;
  if (password_hash !== null && !isVerifiable(password_hash)) {
    return 'password_hash has a format or a cost that is not supported';
  }
  const id = data.id ?? newUserId(now);
  const user = {
    ...newPerson({ id, email, name, passwordHash: password_hash }, now),
    roles,
    claims,
    status,
    email_verified_at: email_verified ? now : null,
    identity_1: data.identity_1,
    identity_2: data.identity_2,
    identity_3: data.identity_3,
    identity_4: data.identity_4,
    ...(totp_secret && { mfa: secondFactor(keys, { secret: totp_secret, userId: id, now }) }),
  };
  return faultOf(user) ?? user;
}

interface Import {
  users: Users;
  /** Encrypts TOTP secrets, and must have the master secrets of those in moved rows. */
  keys: KeyRing;
  clock: Clock;
  /** Why the row cannot be that of a user here. A row of an export with secrets was checked where it comes from. */
  faultOf: (user: User) => string | undefined;
  report: ImportReport;
  /** The file is of another system. */
  foreign?: ForeignOptions | undefined;
  /** Only counts what would be added: writes nothing. */
  isDryRun?: boolean;
}

/**
 * Adds the users of a file, a thousand per commit. Existing accounts do not change, so an interrupted
 * import can be run again.
 */
export async function importUsers(
  file: string,
  { users, keys, clock, faultOf, report, foreign, isDryRun = false }: Import,
): Promise<ImportResult> {
  const total = statSync(file).size;
  const convert = foreign && (await converterOf(foreign, { file, now: clock() }));
  const rowsOf = foreign ? foreignReader(foreign.from, file) : linesOf;
  const input = createReadStream(file);
  const result: ImportResult = { added: 0, present: 0, refused: 0 };
  const batch = new Map<string, User>();
  const moved = new MovedRows(keys);
  let length = 0;
  let lastLine = 0;

  const refuse = (line: number, why: string) => {
    result.refused += 1;
    report.refused(line, escaped(why));
  };
  const read = (line: string): User | string | null => {
    const json = jsonOf(line);
    if (json === undefined) return 'is not JSON';
    if (convert !== undefined) {
      const line = convert(json.input);
      return typeof line === 'string' ? line : personOf(line, { keys, now: clock(), faultOf });
    }
    const row = moved.read(json.input);
    return row === undefined ? personOf(json.input, { keys, now: clock(), faultOf }) : row;
  };

  const flush = async () => {
    if (batch.size > 0) {
      const all = [...batch.values()];
      const added = await (isDryRun ? users.countAbsent(all) : users.insertMany(all));
      result.added += added;
      result.present += batch.size - added;
      batch.clear();
      length = 0;
    }
    report.progress(input.bytesRead, total);
  };

  for await (const { number, text, reason = '' } of rowsOf(input)) {
    lastLine = number;
    const user = text === undefined ? reason : read(text);
    if (user === null) continue;
    if (typeof user === 'string') {
      refuse(number, user);
      continue;
    }
    // Service accounts have no address.
    const key = user.email_key ?? user.id;
    if (batch.has(key)) {
      result.present += 1;
      continue;
    }
    batch.set(key, user);
    length += (text as string).length;
    if (batch.size === BATCH || length > MAX_BATCH_LENGTH) await flush();
  }
  await flush();
  if (!moved.isComplete) refuse(lastLine, 'is not the end of the export, which was interrupted');
  return result;
}
