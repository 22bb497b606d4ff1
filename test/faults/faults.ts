import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { proxy } from '../proxy.ts';
import { type Scope, serve } from '../server.ts';
import { keysFor } from '../test-app.ts';
import { crowd, type Seen } from './crowd.ts';
import { smallDisk } from './small-disk.ts';

export interface Surroundings {
  scope: Scope;
  /** Of a new, empty PostgreSQL database. */
  newDatabase(): Promise<string>;
  /** How long a fault lasts (ms). */
  lasts: number;
}

function emptyFolder(scope: Scope): string {
  const path = mkdtempSync(join(tmpdir(), 'latchkey-fault-'));
  scope.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A node with a proxy in front of its PostgreSQL. */
async function behindProxy({ scope, newDatabase }: Surroundings) {
  const url = await newDatabase();
  const between = await proxy(scope, url);
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  scope.teardown(() => admin.end());
  const server = await serve(scope, {
    cwd: emptyFolder(scope),
    env: { DATABASE_URL: between.url, DATABASE_TIMEOUT: '1s' },
  });
  return { between, admin, crowd: await crowd(server) };
}

async function away(surroundings: Surroundings) {
  const { between, crowd } = await behindProxy(surroundings);
  const { lasts } = surroundings;
  return crowd.during({ begin: between.goAway, end: between.comeBack, lasts });
}

async function hangs(surroundings: Surroundings) {
  const { between, crowd } = await behindProxy(surroundings);
  return crowd.during({
    begin: () => between.swallow('everything'),
    end: () => between.swallow(false),
    lasts: surroundings.lasts,
  });
}

async function slow(surroundings: Surroundings) {
  const { between, crowd } = await behindProxy(surroundings);
  return crowd.during({
    begin: () => between.delay(300),
    end: () => between.delay(0),
    lasts: surroundings.lasts,
  });
}

async function readOnly(surroundings: Surroundings) {
  const { admin, between, crowd } = await behindProxy(surroundings);
  const { rows } = await admin.query('select current_database() as name');
  await admin.query('set default_transaction_read_only = off');
  const set = async (value: 'on' | 'off') => {
    await admin.query(
      `alter database ${rows[0].name} set default_transaction_read_only = ${value}`,
    );
    between.reset();
  };
  const { lasts } = surroundings;
  return crowd.during({ begin: () => set('on'), end: () => set('off'), lasts });
}

/** PostgreSQL's answer when it cannot extend a file. */
const FULL = `
  create function full_disk() returns trigger language plpgsql as $$
  begin raise exception 'No space left on device' using errcode = '53100'; end $$;
  create trigger full_disk before insert or update on users execute function full_disk()`;

async function fullPostgres(surroundings: Surroundings) {
  const { admin, crowd } = await behindProxy(surroundings);
  return crowd.during({
    begin: () => admin.query(FULL),
    end: () => admin.query('drop trigger full_disk on users'),
    lasts: surroundings.lasts,
  });
}

async function fullSqlite({ scope, lasts }: Surroundings) {
  const path = emptyFolder(scope);
  const disk = smallDisk(scope, path);
  if (disk === undefined) return undefined;
  const env = { DATABASE_URL: `file:${join(path, 'latchkey.db')}` };
  const server = await serve(scope, { cwd: emptyFolder(scope), env });
  return (await crowd(server)).during({ begin: disk.fill, end: disk.free, lasts });
}

/** SIGWINCH sets the clock of the process forward by an hour, and back again. */
const CLOCK = `
  const { now } = Date;
  let ahead = 0;
  Date.now = () => now() + ahead;
  process.on('SIGWINCH', () => { ahead = ahead ? 0 : 3_600_000; });`;

async function fastClock({ scope }: Surroundings) {
  const server = await serve(scope, { cwd: emptyFolder(scope), preload: CLOCK });
  const turn = () => server.child.kill('SIGWINCH');
  return (await crowd(server)).during({ begin: turn, end: turn, lasts: 4_000 });
}

async function killed({ scope }: Surroundings) {
  const cwd = emptyFolder(scope);
  const env = { ISSUER: 'http://localhost:3000', SIGNING_KEYS: keysFor('ES256') };
  const first = await serve(scope, { cwd, env });
  return (await crowd(first)).during({
    begin: async () => {
      first.child.kill('SIGKILL');
      await first.ended;
    },
    end: () => serve(scope, { cwd, env: { ...env, PORT: first.port } }),
    lasts: 1_000,
  });
}

/** By name. Undefined: cannot be caused here. */
export const FAULTS: Record<string, (surroundings: Surroundings) => Promise<Seen | undefined>> = {
  'PostgreSQL is away': away,
  'PostgreSQL hangs': hangs,
  'PostgreSQL answers 300 ms late': slow,
  'PostgreSQL is read-only': readOnly,
  'PostgreSQL has no space': fullPostgres,
  'SQLite has no space': fullSqlite,
  'the clock is an hour fast for 4 s': fastClock,
  'kill -9, and a start 1 s later': killed,
};
