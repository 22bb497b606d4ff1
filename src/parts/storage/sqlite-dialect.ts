import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import type { SqliteAnswer } from './sqlite-connection.ts';
import type { SqliteRequest } from './sqlite-request.ts';

/** An open database, in this thread or another. */
export interface SqliteSource {
  ask(request: SqliteRequest): Promise<SqliteAnswer>;
  close(): Promise<void> | void;
}

/** One caller's use of the database, for a query or a transaction. */
export class SqliteUse implements DatabaseConnection {
  readonly #ask: SqliteSource['ask'];
  #transaction: number | undefined;

  constructor(ask: SqliteSource['ask']) {
    this.#ask = ask;
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    const transaction = this.#transaction;
    const answer = await this.#ask(
      transaction === undefined
        ? { does: 'run', sql, parameters }
        : { does: 'step', transaction, sql, parameters },
    );
    return answer as QueryResult<Row>;
  }

  async begin(transaction: number): Promise<void> {
    await this.#ask({ does: 'begin', transaction });
    this.#transaction = transaction;
  }

  async end(does: 'commit' | 'rollback'): Promise<void> {
    await this.#ask({ does, transaction: this.#transaction as number });
    this.#transaction = undefined;
  }

  async erase(): Promise<void> {
    await this.#ask({ does: 'erase' });
  }

  streamQuery(): never {
    throw new Error('not supported');
  }
}

class SqliteDriver implements Driver {
  readonly #source: SqliteSource;
  #transactions = 0;
  #closed = false;

  constructor(source: SqliteSource) {
    this.#source = source;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return new SqliteUse(async (request) => {
      // Otherwise a transaction that outlives the database would open it again.
      if (this.#closed) throw new Error('the database is closed');
      return this.#source.ask(request);
    });
  }

  async beginTransaction(use: SqliteUse): Promise<void> {
    this.#transactions += 1;
    await use.begin(this.#transactions);
  }

  commitTransaction(use: SqliteUse): Promise<void> {
    return use.end('commit');
  }

  rollbackTransaction(use: SqliteUse): Promise<void> {
    return use.end('rollback');
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {
    this.#closed = true;
    await this.#source.close();
  }
}

/** `SqliteQueue` decides who may use the database when. */
export class SharedSqliteAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

export class SharedSqliteDialect implements Dialect {
  readonly #source: SqliteSource;

  constructor(source: SqliteSource) {
    this.#source = source;
  }

  createDriver(): Driver {
    return new SqliteDriver(this.#source);
  }

  createQueryCompiler(): SqliteQueryCompiler {
    return new SqliteQueryCompiler();
  }

  createAdapter(): SharedSqliteAdapter {
    return new SharedSqliteAdapter();
  }

  createIntrospector(db: Kysely<unknown>): SqliteIntrospector {
    return new SqliteIntrospector(db);
  }
}
