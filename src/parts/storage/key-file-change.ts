import {
  chmodSync,
  chownSync,
  closeSync,
  fchownSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import SQLite from 'better-sqlite3';
import type { PrivateJwk } from '../../schemas/jwk.ts';
import { writeDraft } from './key-file.ts';

/** How long to wait for another command that changes the file (ms). */
const PATIENCE = 10_000;

/** The permissions that a file keeps: those of its owner, and that its group may read it. */
const KEPT = 0o640;

/** Says why the key file cannot be written, and what to do. */
export class KeyFileFault extends Error {}

/** Whether a Kubernetes volume holds the file: its name is a link into `..data`, which the kubelet replaces. */
function isOfKubernetes(path: string): boolean {
  try {
    return readlinkSync(path).split('/').includes('..data');
  } catch {
    return false;
  }
}

const ADVICE: Record<string, string> = {
  EPERM: 'it belongs to another user. Run the command as that user, or as root',
  EACCES: 'you may not write to its folder. Run the command as its owner, or as root',
  EROFS: 'its file system is read-only. Change the original, and let it be mounted again',
  EBUSY: 'it is mounted as a single file. Change the original, and mount its folder instead',
  SQLITE_BUSY: 'another command is changing it. Run the command again',
};

function faultOf(path: string, error: unknown): unknown {
  const { code = '', syscall } = error as NodeJS.ErrnoException;
  if (syscall === undefined && !code.startsWith('SQLITE_')) return error;
  const advice = ADVICE[code] ?? `the system says ${code}`;
  return new KeyFileFault(`${path} cannot be written: ${advice}`);
}

/**
 * Locks the file against other commands; returns how to unlock it. The system ends the lock of a process that is killed.
 * SQLite takes it, because Node has no file locks.
 */
function lock(path: string, { uid, gid }: Stats): () => void {
  const file = openSync(`${path}.lock`, 'a', 0o600);
  // The owner may run the next command.
  fchownSync(file, uid, gid);
  closeSync(file);
  const connection = new SQLite(`${path}.lock`, { timeout: PATIENCE });
  try {
    connection.pragma('journal_mode = MEMORY');
    connection.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    connection.close();
    throw error;
  }
  return () => connection.close();
}

/** How the name of a draft ends (`writeDraft`). */
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/** Removes what a command left behind that was killed before it renamed its draft: it contains keys. */
function removeDrafts(path: string): void {
  const start = `${basename(path)}.`;
  for (const other of readdirSync(dirname(path)))
    if (other.startsWith(start) && UUID.test(other.slice(start.length)))
      rmSync(join(dirname(path), other));
}

function syncFolder(path: string): void {
  const folder = openSync(dirname(path), 'r');
  fsyncSync(folder);
  closeSync(folder);
}

function replace(path: string, keys: PrivateJwk[], { uid, gid, mode }: Stats): void {
  const draft = writeDraft(path, keys);
  try {
    chownSync(draft, uid, gid);
    chmodSync(draft, (mode & KEPT) | 0o600);
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft);
    throw error;
  }
  // Windows cannot open a folder.
  if (process.platform !== 'win32') syncFolder(path);
}

/**
 * Replaces the private JWK set at `path` with what `decide` makes of its text, in one step: every reader, also after a
 * power cut, finds the old set or the new one. Commands take turns. The file keeps its owner and its group; nobody else
 * can read it. A symbolic link stays, and the file that it leads to is replaced. Throws KeyFileFault.
 */
export function changeKeyFile(path: string, decide: (text: string) => PrivateJwk[]): void {
  if (isOfKubernetes(path))
    throw new KeyFileFault(
      `${path} cannot be written: Kubernetes mounts it from a Secret. Run the command on a copy, and update the Secret from that`,
    );
  const target = realpathSync(path);
  try {
    const owner = statSync(target);
    const unlock = lock(target, owner);
    try {
      removeDrafts(target);
      replace(target, decide(readFileSync(target, 'utf8')), owner);
    } finally {
      unlock();
    }
  } catch (error) {
    throw faultOf(path, error);
  }
}
