import { setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, PostgresAdapter, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import type { Database } from './database.ts';
import { PROBE } from './decoy-rows.ts';
import { hashesIn } from './secret-hashes.ts';

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

/** Each is applied once, in the order of the names. Never edit one that was released. */
const migrations: Record<string, Migration> = {
  '001_users': {
    async up(db: Kysely<unknown>) {
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
      await (db as Kysely<{ users: Record<string, unknown> }>)
        .insertInto('users')
        .values(probe)
        .execute();
      await db.schema.createIndex('users_revoked_at').on('users').column('revoked_at').execute();
    },
  },
  // Partial indexes: each covers few rows, so most writes do not touch it. A query must repeat the condition literally.
  '002_indexes': {
    async up(db: Kysely<unknown>) {
      const index = (name: string) => db.schema.createIndex(name).ifNotExists().on('users');
      await index('users_deleted')
        .column('revoked_at')
        .where(sql<boolean>`status = 'deleted'`)
        .execute();
      await index('users_services').column('id').where(sql<boolean>`kind = 'service'`).execute();
      await index('users_with_roles').column('id').where(sql<boolean>`roles <> '[]'`).execute();
      // SQLite's unique index on the column is already in byte order.
      if (db.getExecutor().adapter instanceof PostgresAdapter)
        await index('users_email_key_bytes').expression(sql`email_key collate "C"`).execute();
    },
  },
  '003_access_version': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .alterTable('users')
        .addColumn('access_version', 'integer', (column) => column.notNull().defaultTo(0))
        .execute();
      await sql`update users set access_version = token_version where token_version <> 0`.execute(
        db,
      );
      // The revocation feed reads pages in this order.
      await db.schema.dropIndex('users_revoked_at').execute();
      await db.schema
        .createIndex('users_revoked_at_id')
        .on('users')
        .columns(['revoked_at', 'id'])
        .execute();
    },
  },
  '004_reset_letters': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .alterTable('users')
        .addColumn('reset_letters', 'integer', (column) => column.notNull().defaultTo(0))
        .execute();
    },
  },
  // `password_hash` stays as it is: nodes of the version before go on reading it.
  '005_secret_hashes': {
    async up(db: Kysely<unknown>) {
      await db.schema.alterTable('users').addColumn('secret_hashes', 'text').execute();
      const users = db as Kysely<{
        users: Record<'id' | 'password_hash' | 'secret_hashes', string>;
      }>;
      const accounts = await users
        .selectFrom('users')
        .select(['id', 'password_hash'])
        .where(sql<boolean>`kind = 'service'`)
        .where('password_hash', 'is not', null)
        .execute();
      for (const { id, password_hash } of accounts) {
        const secret_hashes = JSON.stringify(hashesIn(password_hash));
        await users.updateTable('users').set({ secret_hashes }).where('id', '=', id).execute();
      }
    },
  },
  '006_passkeys': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .alterTable('users')
        .addColumn('passkeys', 'text', (column) => column.notNull().defaultTo('[]'))
        .execute();
    },
  },
};

const TRIES = 5;

/** Brings the schema up to date. Several nodes may run it at once: those that lose the race retry and find the work done. */
export async function migrate(db: Database): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => migrations },
  });
  let failure: unknown;
  for (let round = 0; round < TRIES; round += 1) {
    await sleep(100 * round);
    const { error } = await migrator.migrateToLatest();
    if (error === undefined) return;
    failure = error;
  }
  throw failure;
}
