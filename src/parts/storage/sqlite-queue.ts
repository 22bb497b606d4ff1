import {
  isBusy,
  type SqliteAnswer,
  SqliteConnection,
  type SqliteOutcome,
  type SqliteQuery,
} from './sqlite-connection.ts';
import { SqliteLockWait } from './sqlite-lock-wait.ts';
import type { SqliteOptions, SqliteRequest, TransactionRequest } from './sqlite-request.ts';

interface Job {
  request: SqliteRequest;
  /** When it is refused, if it still waits for a lock. */
  until: number;
  answer: PromiseWithResolvers<SqliteAnswer>;
}

/** Writes in one commit. */
const MAX_TOGETHER = 100;
/** Milliseconds. */
const ERASE_AGAIN_AFTER = 500;
const NOTHING: SqliteAnswer = { rows: [] };

/**
 * Shares one connection among many callers. Writes queue, and several callers' writes share a commit. Reads do not
 * wait behind writes that are blocked by another process. While a transaction is open, all other callers wait.
 */
export class SqliteQueue {
  readonly #options: SqliteOptions;
  #connection: SqliteConnection | undefined;
  #jobs: Job[] = [];
  #transaction: number | undefined;
  readonly #lockWait = new SqliteLockWait();
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

  /** Runs what can run at once, and refuses the rest. */
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
      this.#jobs = this.#jobs.filter((job) => !this.#runNow(connection, job));
      if (this.#transaction === undefined && this.#lockWait.remaining <= 0)
        this.#runFront(connection);
    }
    this.#refuseLate();
    // The owner of an open transaction asks for the next step after the answer to the last.
    if (this.#jobs.length === 0 || this.#transaction !== undefined) return;
    const pause = this.#lockWait.remaining;
    if (pause > 0) this.#later = setTimeout(() => this.#turn(), pause);
    else this.#soon = setImmediate(() => this.#turn());
  }

  #open(): SqliteConnection | undefined {
    try {
      this.#connection ??= new SqliteConnection(this.#options.path);
    } catch (error) {
      if (isBusy(error)) this.#lockWait.meet(error);
      else this.#refuseAll(error);
    }
    return this.#connection;
  }

  /** Runs a request that need not queue. False: it stays in the queue. */
  #runNow(connection: SqliteConnection, { request, answer }: Job): boolean {
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
            this.#lockWait.meet(error);
            return false;
          }
          answer.reject(error);
        }
        return true;
    }
  }

  #runInside(connection: SqliteConnection, request: TransactionRequest): SqliteAnswer {
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

  /** Begins the transaction at the front of the queue, or commits the writes there together. */
  #runFront(connection: SqliteConnection): void {
    // It waited for a transaction that has just ended. The next turn runs it.
    if (this.#jobs[0]?.request.does === 'erase') return;
    const queries = this.#queriesInFront();
    const front = this.#jobs.slice(0, Math.max(1, queries.length));
    try {
      const outcomes =
        queries.length > 0 ? connection.runTogether(queries) : this.#begin(connection);
      this.#lockWait.end();
      this.#jobs.splice(0, front.length);
      for (const [index, outcome] of outcomes.entries()) {
        if ('error' in outcome) front[index]?.answer.reject(outcome.error);
        else front[index]?.answer.resolve(outcome.answer);
      }
    } catch (error) {
      if (isBusy(error)) {
        this.#lockWait.meet(error);
        return;
      }
      this.#jobs.splice(0, front.length);
      for (const { answer } of front) answer.reject(error);
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

  /** Refuses the requests that have waited for a lock as long as they may. */
  #refuseLate(): void {
    const { error } = this.#lockWait;
    if (error === undefined) return;
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
