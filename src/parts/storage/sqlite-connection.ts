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

/** The result of one query among several. */
export type SqliteOutcome = { answer: SqliteAnswer } | { error: unknown };

/** Prepared statements kept, and the longest SQL text kept: an import of a thousand rows is longer. */
const MAX_STATEMENTS = 100;
const MAX_TEXT = 4_000;

export const isBusy = (error: unknown): boolean =>
  String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY');

/** An open database. It never waits: a lock of another process is refused with SQLITE_BUSY. */
export class SqliteConnection {
  readonly #database: SQLite.Database;
  readonly #statements = new Map<string, SQLite.Statement>();

  constructor(path: string) {
    this.#database = new SQLite(path, { timeout: 0 });
    try {
      this.#database.pragma('journal_mode = WAL');
      // In WAL mode, only FULL makes each commit survive a power cut.
      this.#database.pragma('synchronous = FULL');
      // Deleted and replaced content is overwritten with zeros.
      this.#database.pragma('secure_delete = ON');
      // Rows must not get into temporary files outside the folder of the database.
      this.#database.pragma('temp_store = MEMORY');
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** Whether it can run while another process writes. */
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

  /** Takes the write lock at once, so that no later statement of the transaction is refused with SQLITE_BUSY. */
  begin(): void {
    this.#execute('begin immediate');
  }

  commit(): void {
    this.#execute('commit');
  }

  /** After some errors SQLite has already rolled back. */
  rollback(): void {
    if (this.#database.inTransaction) this.#execute('rollback');
  }

  /**
   * Moves all commits from the WAL to the database file and truncates the WAL, which removes old versions of rows.
   * False: another process or a disk fault prevented it.
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

  /** A statement that fails undoes itself alone (ABORT, the default of SQLite), so no savepoint is needed. */
  #runApart(query: SqliteQuery): SqliteOutcome {
    try {
      return { answer: this.run(query) };
    } catch (error) {
      // SQLite has rolled back the whole transaction, so all its queries have failed.
      if (!this.#database.inTransaction) throw error;
      return { error };
    }
  }

  #execute(sql: string): void {
    this.#prepared(sql).run();
  }

  /** The least recently used statement is dropped. */
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
