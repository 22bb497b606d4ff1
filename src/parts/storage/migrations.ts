import { setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, PostgresAdapter, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { type Database, DECOY, type UserRow } from './database.ts';

/** Belongs to no user. A guess at an unknown address writes here, so that it costs a write like one at a known address. */
const decoy: Omit<UserRow, 'access_version' | 'reset_letters'> = {
  id: DECOY,
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

/** Applied once each, in the order of their names. Never edit one after a release. */
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
      await (db as Database)
        .insertInto('users')
        .values(decoy as UserRow)
        .execute();
      await db.schema.createIndex('users_revoked_at').on('users').column('revoked_at').execute();
    },
  },
  // Partial indexes: most writes do not touch them. A query must repeat the index's condition word for word.
  '002_indexes': {
    async up(db: Kysely<unknown>) {
      const index = (name: string) => db.schema.createIndex(name).ifNotExists().on('users');
      await index('users_deleted')
        .column('revoked_at')
        .where(sql<boolean>`status = 'deleted'`)
        .execute();
      await index('users_services').column('id').where(sql<boolean>`kind = 'service'`).execute();
      await index('users_with_roles').column('id').where(sql<boolean>`roles <> '[]'`).execute();
      // SQLite's unique index on the column is in byte order already.
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
      // The revocation poll pages through this index.
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
};

const TRIES = 5;

/** Brings the schema up to date. Nodes may do so at the same time: those that fail retry and find it done. */
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
