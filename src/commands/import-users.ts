import { createReadStream, statSync } from 'node:fs';
import type { z } from 'zod';
import { newUserId } from '../parts/ids.ts';
import { isVerifiable } from '../parts/passwords/foreign-hashes.ts';
import type { Users } from '../parts/storage/users.ts';
import { newPerson } from '../rules/accounts.ts';
import type { Clock } from '../rules/clock.ts';
import { ImportedUser } from '../schemas/portable-user.ts';
import type { User } from '../schemas/user.ts';
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

function personOf(input: unknown, now: number): User | string {
  const { success, data, error } = ImportedUser.safeParse(input);
  if (!success) return error.issues.map(reasonOf).join('; ');
  const { email, name, password_hash, roles, status, email_verified } = data;
  if (password_hash !== null && !isVerifiable(password_hash)) {
    return 'password_hash has a format or a cost that is not supported';
  }
  const person = newPerson({ id: newUserId(now), email, name, passwordHash: password_hash }, now);
  return { ...person, roles, status, email_verified_at: email_verified ? now : null };
}

interface Import {
  users: Users;
  clock: Clock;
  report: ImportReport;
  /** Only counts what would be added: writes nothing. */
  isDryRun?: boolean;
}

/**
 * Adds the users of a JSON Lines file, a thousand per commit. Existing accounts do not change, so an interrupted
 * import can be run again.
 */
export async function importUsers(
  file: string,
  { users, clock, report, isDryRun = false }: Import,
): Promise<ImportResult> {
  const total = statSync(file).size;
  const input = createReadStream(file);
  const result: ImportResult = { added: 0, present: 0, refused: 0 };
  const batch = new Map<string, User>();
  const moved = new MovedRows();
  let length = 0;
  let lastLine = 0;

  const refuse = (line: number, why: string) => {
    result.refused += 1;
    report.refused(line, why);
  };
  const read = (line: string): User | string | null => {
    const json = jsonOf(line);
    if (json === undefined) return 'is not JSON';
    const row = moved.read(json.input);
    return row === undefined ? personOf(json.input, clock()) : row;
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

  for await (const { number, text, reason = '' } of linesOf(input)) {
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
