import {
  isBusy,
  type SqliteAnswer,
  SqliteConnection,
  type SqliteOutcome,
  type SqliteQuery,
} from './sqlite-connection.ts';

type Inside =
  | ({ does: 'step'; transaction: number } & SqliteQuery)
  | { does: 'commit' | 'rollback'; transaction: number };

/**
 * `run` is a query that commits by itself. `step` is a query in a transaction, which is a number that the caller
 * chose. A write is answered once it is durable. `erase` removes old versions of rows from the files; if another
 * process prevents it, the queue retries later.
 */
export type SqliteRequest =
  | ({ does: 'run' } & SqliteQuery)
  | { does: 'begin'; transaction: number }
  | Inside
  | { does: 'erase' };

export interface SqliteOptions {
  path: string;
  /** How long a query waits for a lock of another process (ms). */
  patience: number;
}

interface Job {
  request: SqliteRequest;
  /** When to give up (`performance.now()`, ms). */
  until: number;
  answer: PromiseWithResolvers<SqliteAnswer>;
}

/** Most writes in one commit. */
const MAX_TOGETHER = 100;
/** Pause before a lock is tried again (ms): doubles from `first` up to `most`. */
const PAUSE = { first: 1, most: 50 };
const ERASE_AGAIN_AFTER = 500;
const NOTHING: SqliteAnswer = { rows: [] };

/**
 * Shares one connection between many callers. Writes are queued, and adjacent writes share a commit. Reads overtake
 * writes that wait for a lock of another process. While a transaction is open, all other requests wait.
 */
export class SqliteQueue {
  readonly #options: SqliteOptions;
  #connection: SqliteConnection | undefined;
  #jobs: Job[] = [];
  #transaction: number | undefined;
  /** The lock that blocks the queue, and when to try again (`performance.now()`, ms). */
  #lock: { error: unknown; pause: number; until: number } | undefined;
  #soon: NodeJS.Immediate | undefined;
  #later: NodeJS.Timeout | undefined;
  #erasure: NodeJS.Timeout | undefined;

  constructor(options: SqliteOptions) {
    this.#options = options;
  }

  ask(request: SqliteRequest): Promise<SqliteAnswer> {
    const answer = Promise.withResolvers<SqliteAnswer>();
    this.#jobs.push({ request, until: performance.now() + this.#options.patience, answer });
    // Deferred, so that requests of the same moment can share a commit.
    this.#soon ??= setImmediate(() => this.#turn());
    return answer.promise;
  }

  /** Runs what can run now, and rejects the rest. */
  close(): void {
    this.#turn();
    clearImmediate(this.#soon);
    clearTimeout(this.#later);
    clearTimeout(this.#erasure);
    this.#refuseAll(new Error('the database is closed'));
    this.#connection?.close();
    this.#connection = undefined;
  }

  #turn(): void {
    clearImmediate(this.#soon);
    clearTimeout(this.#later);
    this.#soon = undefined;
    const connection = this.#open();
    if (connection !== undefined) {
      this.#jobs = this.#jobs.filter((job) => !this.#runsNow(connection, job));
      if (this.#transaction === undefined && performance.now() >= (this.#lock?.until ?? 0))
        this.#runFront(connection);
    }
    if (this.#lock !== undefined) this.#endPatience(this.#lock.error);
    // The owner of an open transaction sends the next step after the previous answer, which starts a turn.
    if (this.#jobs.length === 0 || this.#transaction !== undefined) return;
    const pause = (this.#lock?.until ?? 0) - performance.now();
    if (pause > 0) this.#later = setTimeout(() => this.#turn(), pause);
    else this.#soon = setImmediate(() => this.#turn());
  }

  #open(): SqliteConnection | undefined {
    try {
      this.#connection ??= new SqliteConnection(this.#options.path);
    } catch (error) {
      if (isBusy(error)) this.#meetLock(error);
      else this.#refuseAll(error);
    }
    return this.#connection;
  }

  /** Runs a request that need not wait in the queue. Returns false if it must stay there. */
  #runsNow(connection: SqliteConnection, { request, answer }: Job): boolean {
    switch (request.does) {
      case 'begin':
        return false;
      case 'step':
      case 'commit':
      case 'rollback':
        try {
          answer.resolve(this.#runInside(connection, request));
        } catch (error) {
          answer.reject(error);
        }
        return true;
      case 'erase':
        if (this.#transaction !== undefined) return false;
        this.#erase(connection);
        answer.resolve(NOTHING);
        return true;
      case 'run':
        if (this.#transaction !== undefined) return false;
        try {
          if (!connection.isRead(request)) return false;
          answer.resolve(connection.run(request));
        } catch (error) {
          if (isBusy(error)) {
            this.#meetLock(error);
            return false;
          }
          answer.reject(error);
        }
        return true;
    }
  }

  #runInside(connection: SqliteConnection, request: Inside): SqliteAnswer {
    if (request.transaction !== this.#transaction) {
      // Its thread has ended, and SQLite has rolled it back.
      if (request.does === 'rollback') return NOTHING;
      throw new Error('the transaction no longer exists');
    }
    if (request.does === 'step') return connection.run(request);
    connection[request.does]();
    this.#transaction = undefined;
    return NOTHING;
  }

  #erase(connection: SqliteConnection): void {
    clearTimeout(this.#erasure);
    if (connection.erase()) return;
    this.#erasure = setTimeout(() => void this.ask({ does: 'erase' }), ERASE_AGAIN_AFTER);
    this.#erasure.unref();
  }

  /** Begins one transaction, or commits the adjacent writes at the front of the queue. */
  #runFront(connection: SqliteConnection): void {
    // It waited for a transaction that has just ended; the next turn runs it.
    if (this.#jobs[0]?.request.does === 'erase') return;
    const queries = this.#queriesInFront();
    const line = this.#jobs.slice(0, Math.max(1, queries.length));
    try {
      const outcomes =
        queries.length > 0 ? connection.runTogether(queries) : this.#begin(connection);
      this.#lock = undefined;
      this.#jobs.splice(0, line.length);
      for (const [index, outcome] of outcomes.entries()) {
        if ('error' in outcome) line[index]?.answer.reject(outcome.error);
        else line[index]?.answer.resolve(outcome.answer);
      }
    } catch (error) {
      if (isBusy(error)) {
        this.#meetLock(error);
        return;
      }
      this.#jobs.splice(0, line.length);
      for (const { answer } of line) answer.reject(error);
    }
  }

  #queriesInFront(): SqliteQuery[] {
    const queries: SqliteQuery[] = [];
    for (const { request } of this.#jobs) {
      if (request.does !== 'run' || queries.length === MAX_TOGETHER) break;
      queries.push(request);
    }
    return queries;
  }

  #begin(connection: SqliteConnection): SqliteOutcome[] {
    const request = this.#jobs[0]?.request;
    if (request?.does !== 'begin') return [];
    connection.begin();
    this.#transaction = request.transaction;
    return [{ answer: NOTHING }];
  }

  #meetLock(error: unknown): void {
    const pause = Math.min(PAUSE.most, this.#lock ? this.#lock.pause * 2 : PAUSE.first);
    // With jitter, so that two waiting processes do not collide again.
    this.#lock = { error, pause, until: performance.now() + pause * (0.5 + Math.random() / 2) };
  }

  #endPatience(error: unknown): void {
    const now = performance.now();
    this.#jobs = this.#jobs.filter(({ until, answer }) => {
      if (until > now) return true;
      answer.reject(error);
      return false;
    });
  }

  #refuseAll(error: unknown): void {
    for (const { answer } of this.#jobs.splice(0)) answer.reject(error);
  }
}
