import SQLite from 'better-sqlite3';

export interface SqliteQuery {
  sql: string;
  parameters: readonly unknown[];
}

export interface SqliteAnswer {
  rows: unknown[];
  insertId?: bigint;
  numAffectedRows?: bigint;
}

/** The outcome of one query in a batch. */
export type SqliteOutcome = { answer: SqliteAnswer } | { error: unknown };

/** Size of the statement cache, and the longest SQL text kept in it (an insert of a thousand users is longer). */
const MAX_STATEMENTS = 100;
const MAX_TEXT = 4_000;

export const isBusy = (error: unknown): boolean =>
  String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY');

/** One open database. Never waits for a lock of another process: it fails with SQLITE_BUSY. */
export class SqliteConnection {
  readonly #database: SQLite.Database;
  readonly #statements = new Map<string, SQLite.Statement>();

  constructor(path: string) {
    this.#database = new SQLite(path, { timeout: 0 });
    try {
      this.#database.pragma('journal_mode = WAL');
      // With WAL, only FULL makes each commit survive a power cut.
      this.#database.pragma('synchronous = FULL');
      // Deleted or replaced content is overwritten with zeros.
      this.#database.pragma('secure_delete = ON');
      // No row may end up in a temporary file outside the database's folder.
      this.#database.pragma('temp_store = MEMORY');
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** Whether the query only reads, and so needs no lock that another process may have. */
  isRead({ sql }: SqliteQuery): boolean {
    return this.#prepared(sql).readonly;
  }

  run({ sql, parameters }: SqliteQuery): SqliteAnswer {
    const statement = this.#prepared(sql);
    if (statement.reader) return { rows: statement.all(parameters) };
    const { changes, lastInsertRowid } = statement.run(parameters);
    return { rows: [], insertId: BigInt(lastInsertRowid), numAffectedRows: BigInt(changes) };
  }

  /**
   * Runs queries of several callers in one transaction, so that they share one wait for the disk. A query that fails
   * does not affect the others. Throws if nothing was committed.
   */
  runTogether(queries: SqliteQuery[]): SqliteOutcome[] {
    const [first] = queries;
    if (first !== undefined && queries.length === 1) return [{ answer: this.run(first) }];
    this.begin();
    try {
      const outcomes = queries.map((query) => this.#runApart(query));
      this.commit();
      return outcomes;
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  /** Takes the write lock now, so that no later statement of the transaction fails with SQLITE_BUSY. */
  begin(): void {
    this.#execute('begin immediate');
  }

  commit(): void {
    this.#execute('commit');
  }

  /** Does nothing if SQLite has rolled back already, as it does after some errors. */
  rollback(): void {
    if (this.#database.inTransaction) this.#execute('rollback');
  }

  /**
   * Moves all commits from the WAL to the database file and truncates the WAL, which removes old versions of rows.
   * Returns false if another process or a disk error prevents it.
   */
  erase(): boolean {
    try {
      const { rows } = this.run({ sql: 'pragma wal_checkpoint(truncate)', parameters: [] });
      return (rows as { busy: number }[])[0]?.busy === 0;
    } catch {
      return false;
    }
  }

  close(): void {
    this.rollback();
    this.erase();
    this.#database.close();
  }

  #runApart(query: SqliteQuery): SqliteOutcome {
    this.#execute('savepoint apart');
    try {
      const answer = this.run(query);
      this.#execute('release apart');
      return { answer };
    } catch (error) {
      // SQLite has rolled back the whole transaction, the other queries included.
      if (!this.#database.inTransaction) throw error;
      this.#execute('rollback to apart');
      this.#execute('release apart');
      return { error };
    }
  }

  #execute(sql: string): void {
    this.#prepared(sql).run();
  }

  /** From the cache, which evicts the least recently used statement. */
  #prepared(sql: string): SQLite.Statement {
    const statement = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.delete(sql);
    if (sql.length > MAX_TEXT) return statement;
    this.#statements.set(sql, statement);
    const [oldest] = this.#statements.keys();
    if (oldest !== undefined && this.#statements.size > MAX_STATEMENTS)
      this.#statements.delete(oldest);
    return statement;
  }
}
