import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { Database } from './database.ts';

/**
 * How the name of a migration ends that only adds: columns that may be absent from an INSERT, indexes, tables. Nodes of
 * earlier versions read this, so it stays as it is (`decisions/0007-rolling-upgrades.md`).
 */
const ADDITIVE = '_additive';

/** A newer version changed the schema in a way that this version cannot work with. */
export class NewerSchema extends Error {
  constructor(migrations: string[]) {
    super(`newer schema: ${migrations.join(', ')}`);
  }
}

/**
 * The additive migrations of newer versions that this database has had. Each does nothing here: it only tells Kysely
 * that the migration is not missing. Refuses other unknown migrations with NewerSchema.
 */
export async function unknownMigrations(
  db: Database,
  known: Record<string, Migration>,
): Promise<Record<string, Migration>> {
  const unknown = (await executed(db)).filter((name) => !(name in known));
  const breaking = unknown.filter((name) => !name.endsWith(ADDITIVE));
  if (breaking.length > 0) throw new NewerSchema(breaking);
  // Never called: they have been applied.
  const up = Promise.resolve.bind(Promise) as Migration['up'];
  return Object.fromEntries(unknown.map((name) => [name, { up }]));
}

interface MigrationTable {
  kysely_migration: { name: string };
}

async function executed(db: Database): Promise<string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some(({ name }) => name === 'kysely_migration')) return [];
  const rows = await (db as unknown as Kysely<MigrationTable>)
    .selectFrom('kysely_migration')
    .select('name')
    .execute();
  return rows.map(({ name }) => name);
}
