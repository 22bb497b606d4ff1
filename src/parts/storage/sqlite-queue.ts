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
 * What may be asked. A `run` is a query that commits by itself. A transaction is a number that its owner chose, and
 * its queries are its steps. The answer to a write comes when it is durable. `erase` leaves no old version of a row
 * in the files: what another process keeps it from erasing now, it erases as soon as it can.
 */
export type SqliteRequest =
  | ({ does: 'run' } & SqliteQuery)
  | { does: 'begin'; transaction: number }
  | Inside
  | { does: 'erase' };

export interface SqliteOptions {
  path: string;
  /** How long a query waits for a lock that another process holds (ms). */
  patience: number;
}

interface Job {
  request: SqliteRequest;
  /** When its patience ends. */
  until: number;
  answer: PromiseWithResolvers<SqliteAnswer>;
}

/** Writes in one commit. */
const MAX_TOGETHER = 100;
/** Milliseconds until a lock is tried again: at first, and at most after doubling. */
const PAUSE = { first: 1, most: 50 };
const ERASE_AGAIN_AFTER = 500;
const NOTHING: SqliteAnswer = { rows: [] };

/**
 * Lets many callers use one connection. Writes stand in line, and those of several callers share a commit. Reads
 * pass a line that waits for another process. While a transaction is open, everybody else waits.
 */
export class SqliteQueue {
  readonly #options: SqliteOptions;
  #connection: SqliteConnection | undefined;
  #jobs: Job[] = [];
  #transaction: number | undefined;
  /** Why the line stands still, and until when. */
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
    // Not at once: what is asked in the same moment can go together.
    this.#soon ??= setImmediate(() => this.#turn());
    return answer.promise;
  }

  /** Does what can be done at once, and refuses the rest. */
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
    // Of an open transaction the next step comes once its owner has the last answer.
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

  /** What does not stand in line. False: it stays. */
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
      // The thread in which it was open has ended, and SQLite has rolled it back.
      if (request.does === 'rollback') return NOTHING;
      throw new Error('the transaction is gone');
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

  /** One transaction begins, or writes that stand next to each other are committed. */
  #runFront(connection: SqliteConnection): void {
    // It stood behind a transaction that has just ended, and comes with the next turn.
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
    // By chance, or those who wait for each other would come together again.
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
