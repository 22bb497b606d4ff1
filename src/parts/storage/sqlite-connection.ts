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

/** What came of one query of several. */
export type SqliteOutcome = { answer: SqliteAnswer } | { error: unknown };

/** Statements that are kept prepared, and the longest text of one (a row for each of a thousand users is longer). */
const MAX_STATEMENTS = 100;
const MAX_TEXT = 4_000;

export const isBusy = (error: unknown): boolean =>
  String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY');

/** One open database. It never waits: what another process holds is refused with SQLITE_BUSY. */
export class SqliteConnection {
  readonly #database: SQLite.Database;
  readonly #statements = new Map<string, SQLite.Statement>();

  constructor(path: string) {
    this.#database = new SQLite(path, { timeout: 0 });
    try {
      this.#database.pragma('journal_mode = WAL');
      // With WAL, only FULL makes each commit survive a power cut.
      this.#database.pragma('synchronous = FULL');
      // What is deleted or replaced is overwritten with zeros.
      this.#database.pragma('secure_delete = ON');
      // No row is written to a file of its own outside the database's folder.
      this.#database.pragma('temp_store = MEMORY');
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** Whether it needs no lock that another process may hold. */
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
   * Runs queries of different callers in one transaction, so that one wait for the disk serves them all. One that
   * fails leaves the others alone. Throws when none was committed.
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

  /** Takes the write lock at once, so that no later statement of the transaction can meet it. */
  begin(): void {
    this.#execute('begin immediate');
  }

  commit(): void {
    this.#execute('commit');
  }

  /** Some errors have rolled back already. */
  rollback(): void {
    if (this.#database.inTransaction) this.#execute('rollback');
  }

  /**
   * Moves all commits from the WAL to the database file and cuts the WAL to nothing, old versions of rows with it.
   * False: another process is in the way, or the disk.
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
      // The whole transaction is gone, and the others' work with it.
      if (!this.#database.inTransaction) throw error;
      this.#execute('rollback to apart');
      this.#execute('release apart');
      return { error };
    }
  }

  #execute(sql: string): void {
    this.#prepared(sql).run();
  }

  /** The least recently used makes room. */
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
