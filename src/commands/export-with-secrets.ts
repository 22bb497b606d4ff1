import { type FileHandle, open, rm } from 'node:fs/promises';
import type { Users } from '../parts/storage/users.ts';
import type { User } from '../schemas/user.ts';
import { notCreated } from './command-fault.ts';

/** Rows per query. */
const PAGE = 500;

interface Export {
  users: Users;
  /** Rows so far, and in total. */
  progress(written: number, total: number): void;
}

export interface ExportResult {
  written: number;
  /** Rows that cannot be read: they are not in the file. */
  unreadable: number;
}

const lineOf = (row: User): string => `${JSON.stringify({ row })}\n`;

async function writeRows(
  handle: FileHandle,
  { users, progress }: Export,
  result: ExportResult,
): Promise<void> {
  const total = await users.count();
  for await (const page of users.everyRow(PAGE)) {
    const rows = page.filter((row) => row !== undefined);
    await handle.appendFile(rows.map(lineOf).join(''));
    result.written += rows.length;
    result.unreadable += page.length - rows.length;
    progress(result.written, total);
  }
  // Without this line, an import knows that the export was interrupted.
  await handle.appendFile(`${JSON.stringify({ end: { rows: result.written } })}\n`);
  await handle.sync();
}

/**
 * Writes every row as it is, those of service accounts and deleted users too, to a new file that only its owner can
 * read. Never overwrites a file. A file that cannot be completed is removed.
 */
export async function exportWithSecrets(file: string, options: Export): Promise<ExportResult> {
  const handle = await open(file, 'wx', 0o600).catch((error) => {
    throw notCreated(file, error);
  });
  const result: ExportResult = { written: 0, unreadable: 0 };
  try {
    await writeRows(handle, options, result);
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  return result;
}
