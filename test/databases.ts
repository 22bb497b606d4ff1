import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import pg from 'pg';
import whole, { type Test } from 'tap';
import {
  type Database,
  type DatabaseOptions,
  openDatabase,
} from '../src/parts/storage/database.ts';
import { PROBE } from '../src/parts/storage/decoy-rows.ts';
import { migrate } from '../src/parts/storage/migrations.ts';
import { Users } from '../src/parts/storage/users.ts';
import { EmbeddedPostgres } from './embedded-postgres.ts';
import { freePort } from './free-port.ts';

/** A new folder, removed when the test ends. */
export function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'latchkey-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export interface Engine {
  name: string;
  /** The address of a new, empty database. */
  create(): Promise<string>;
}

export interface Postgres extends Engine {
  /** Stops the server as a restart of its machine would; `start` brings it back with all that it had. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** The folder of its socket. */
  socket: string;
  /** A connection of the test's own. */
  connect(url: string): Promise<pg.Client>;
}

let started: Promise<Postgres> | undefined;

/** A real PostgreSQL server: one for all files of a suite, which is stopped and removed at the suite's end. */
export async function postgres(t: Test): Promise<Postgres> {
  started ??= startPostgres();
  const server = await started;
  t.teardown(server.start);
  return server;
}

async function startPostgres(): Promise<Postgres> {
  const databaseDir = folder(whole);
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user: 'latchkey',
    password: 'latchkey',
    // PostgreSQL does not run as root.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--no-sync', '--encoding=UTF8', '--locale=C'],
    postgresFlags: ['-h', '127.0.0.1', '-k', databaseDir, '-F'],
    onLog: () => {},
    onError: () => {},
  });
  await server.initialise();
  await server.start();
  let isRunning = true;
  whole.teardown(() => server.stop());

  const address = (name: string) => `postgres://latchkey:latchkey@127.0.0.1:${port}/${name}`;
  const connect = async (url: string) => {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {});
    await client.connect();
    return client;
  };
  let count = 0;
  return {
    name: 'PostgreSQL',
    socket: databaseDir,
    stop: async () => {
      isRunning = false;
      await server.stop();
    },
    start: async () => {
      if (!isRunning) await server.start();
      isRunning = true;
    },
    connect,
    create: async () => {
      count += 1;
      const client = await connect(address('postgres'));
      await client.query(`create database test${count}`);
      await client.end();
      return address(`test${count}`);
    },
  };
}

export const sqliteInMemory: Engine = {
  name: 'SQLite in memory',
  create: async () => 'file::memory:',
};

export function sqliteFile(t: Test): Engine {
  const path = folder(t);
  let count = 0;
  return {
    name: 'SQLite',
    create: async () => {
      count += 1;
      return `file:${join(path, `test${count}.db`)}`;
    },
  };
}

/** For those who need not hear of anything. */
export const deaf = { wrote: () => {}, unreadable: () => {} };

/** Opens a database, and closes it when the test ends. */
export function opened(t: Test, url: string, options: Partial<DatabaseOptions> = {}): Database {
  const db = openDatabase({ url, pool: 10, ...options });
  t.teardown(() => db.destroy());
  return db;
}

/** The rows of people and service accounts, in the order of their IDs. */
export const accountRows = (db: Database) =>
  db
    .selectFrom('users')
    .selectAll()
    .where('kind', '!=', 'decoy')
    .where('id', '!=', PROBE)
    .orderBy('id')
    .execute();

/** Ends every connection to this PostgreSQL database but the one that asks. */
export const KILL =
  'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()';

/** The users of a new database, and what was heard of as written or unreadable. */
export async function usersOf(t: Test, engine: Engine, options: Partial<DatabaseOptions> = {}) {
  const url = await engine.create();
  const db = opened(t, url, options);
  await migrate(db);
  const written: string[] = [];
  const unreadable: string[] = [];
  const users = new Users(db, {
    wrote: ({ id }) => written.push(id),
    unreadable: ({ message }) => unreadable.push(message),
  });
  return { url, db, users, written, unreadable };
}
