import { setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, PostgresAdapter, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import type { Database } from './database.ts';
import { PROBE } from './decoy-rows.ts';
import { isAway, isForbidden } from './faults.ts';
import { addColumn, addIndex, dropIndex, hasUsers, inBatches, shortly } from './migration-steps.ts';
import { hashesIn } from './secret-hashes.ts';
import { NewerSchema, unknownMigrations } from './unknown-migrations.ts';

/** The columns are those of 001. */
const probe = {
  id: PROBE,
  kind: 'person',
  email: null,
  email_key: null,
  email_verified_at: null,
  name: null,
  password_hash: null,
  roles: '[]',
  status: 'deleted',
  token_version: 0,
  sessions: '[]',
  throttle: '[]',
  mfa: '{}',
  revoked_at: null,
  row_version: 0,
  created_at: 0,
  updated_at: 0,
  last_login_at: null,
};

/**
 * Each is applied once, in the order of the names. Never edit what a released one does. None runs in a transaction, as
 * that would hold its locks until the end: each consists of steps that hold locks for a moment, and that may be repeated.
 * From 006 on, a name ends with `_additive` if nodes of the version before can go on with the new schema
 * (`decisions/0007-rolling-upgrades.md`).
 */
export const migrations: Record<string, Migration> = {
  '001_users': {
    up: (db: Kysely<unknown>) =>
      shortly(db, async (transaction) => {
        if (!(await hasUsers(transaction))) await createUsers(transaction);
        // Refused if the table is not ours.
        await (transaction as Kysely<{ users: Record<string, unknown> }>)
          .insertInto('users')
          .values(probe)
          .onConflict((conflict) => conflict.column('id').doNothing())
          .execute();
      }),
  },
  // Partial indexes: each covers few rows, so most writes do not touch it. A query must repeat the condition literally.
  // `asc`: YugabyteDB would otherwise hash the first column, and could not read in order.
  '002_indexes': {
    async up(db: Kysely<unknown>) {
      await addIndex(db, 'users_deleted', "(revoked_at asc) where status = 'deleted'");
      await addIndex(db, 'users_services', "(id asc) where kind = 'service'");
      await addIndex(db, 'users_with_roles', "(id asc) where roles <> '[]'");
      // SQLite's unique index on the column is already in byte order.
      if (db.getExecutor().adapter instanceof PostgresAdapter)
        await addIndex(db, 'users_email_key_bytes', '((email_key collate "C") asc)');
    },
  },
  '003_access_version': {
    async up(db: Kysely<unknown>) {
      await addColumn(db, 'access_version', 'integer not null default 0');
      await inBatches(db, 'token_version <> 0', (transaction, range) =>
        sql`update users set access_version = token_version where ${range} and access_version < token_version`.execute(
          transaction,
        ),
      );
      // The revocation feed reads pages in this order.
      await addIndex(db, 'users_revoked_at_id', '(revoked_at asc, id asc)');
      await dropIndex(db, 'users_revoked_at');
    },
  },
  '004_reset_letters': {
    up: (db: Kysely<unknown>) => addColumn(db, 'reset_letters', 'integer not null default 0'),
  },
  // `password_hash` stays as it is: nodes of the version before go on reading it.
  '005_secret_hashes': {
    async up(db: Kysely<unknown>) {
      await addColumn(db, 'secret_hashes', 'text');
      const unfilled = "kind = 'service' and password_hash is not null and secret_hashes is null";
      await inBatches(db, unfilled, async (transaction, range) => {
        const users = transaction as Kysely<{
          users: Record<'id' | 'password_hash' | 'secret_hashes', string>;
        }>;
        const accounts = await users
          .selectFrom('users')
          .select(['id', 'password_hash'])
          .where(range)
          .execute();
        for (const { id, password_hash } of accounts) {
          const secret_hashes = JSON.stringify(hashesIn(password_hash));
          await users
            .updateTable('users')
            .set({ secret_hashes })
            .where('id', '=', id)
            .where('password_hash', '=', password_hash)
            .execute();
        }
      });
    },
  },
  // null, the default, is what older nodes insert: they know no account that is not claimed.
  '006_claimed_at_additive': {
    async up(db: Kysely<unknown>) {
      await addColumn(db, 'claimed_at', 'bigint');
      await addColumn(db, 'devices_since', 'bigint');
    },
  },
  '007_passkeys_additive': {
    up: (db: Kysely<unknown>) => addColumn(db, 'passkeys', "text not null default '[]'"),
  },
  '008_claims_additive': {
    up: (db: Kysely<unknown>) => addColumn(db, 'claims', "text not null default '{}'"),
  },
  // Each account at a provider belongs to one user. Partial, as most users have none.
  '009_identities_additive': {
    async up(db: Kysely<unknown>) {
      await addColumn(db, 'used_nonces', "text not null default '[]'");
      for (const column of ['identity_1', 'identity_2', 'identity_3', 'identity_4']) {
        await addColumn(db, column, 'text');
        const on = `(${column}) where ${column} is not null`;
        await addIndex(db, `users_${column}`, on, 'unique index');
      }
    },
  },
  '010_mail_codes_additive': {
    up: (db: Kysely<unknown>) => addColumn(db, 'mail_codes', "text not null default '{}'"),
  },
};

async function createUsers(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('users')
    .addColumn('id', 'varchar(36)', (column) => column.primaryKey())
    .addColumn('kind', 'varchar(8)', (column) => column.notNull())
    .addColumn('email', 'text')
    .addColumn('email_key', 'text', (column) => column.unique())
    .addColumn('email_verified_at', 'bigint')
    .addColumn('name', 'text')
    .addColumn('password_hash', 'text')
    .addColumn('roles', 'text', (column) => column.notNull())
    .addColumn('status', 'varchar(8)', (column) => column.notNull())
    .addColumn('token_version', 'integer', (column) => column.notNull())
    .addColumn('sessions', 'text', (column) => column.notNull())
    .addColumn('throttle', 'text', (column) => column.notNull())
    .addColumn('mfa', 'text', (column) => column.notNull())
    .addColumn('revoked_at', 'bigint')
    .addColumn('row_version', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addColumn('last_login_at', 'bigint')
    .execute();
  await db.schema.createIndex('users_revoked_at').on('users').column('revoked_at').execute();
}

/** On SQLite several nodes may do the same work, and each can lose the race to record one migration. */
const ROUNDS = 5 + Object.keys(migrations).length;

/**
 * Brings the schema up to date, while other nodes read and write. Several nodes may run it at once: those that lose the
 * race retry and find the work done. If it is interrupted, the next one goes on. Does not retry if nobody listens there, or
 * the user is refused. Accepts additive migrations of newer versions, and refuses others with NewerSchema.
 */
export async function migrate(db: Database): Promise<void> {
  let failure: unknown;
  for (let round = 0; round < ROUNDS; round += 1) {
    await sleep(100 * (round % 5));
    try {
      return await migrateOnce(db);
    } catch (error) {
      if (isFinal(error)) throw error;
      failure = error;
    }
  }
  throw failure;
}

/** Whether another round would fail in the same way. Not if the connection was lost: the next one goes on. */
const isFinal = (error: unknown): boolean =>
  error instanceof NewerSchema || isForbidden(error) || isAway(error);

async function migrateOnce(db: Database): Promise<void> {
  // Read before Kysely takes its lock, because then the one connection of a small pool is taken.
  const unknown = await unknownMigrations(db, migrations);
  const { error } = await new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...unknown, ...migrations }) },
    disableTransactions: true,
    // A correction of an older version may bring a migration whose number comes before one that was applied.
    allowUnorderedMigrations: true,
  }).migrateToLatest();
  if (error !== undefined) throw error;
}
