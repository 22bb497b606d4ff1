import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { SqliteAnswer } from './sqlite-connection.ts';
import type { SqliteOptions, SqliteRequest } from './sqlite-request.ts';
import type { Asked, FromThread, ToThread } from './sqlite-worker.ts';

/** `code` is SQLite's own, or SQLITE_THREAD if the thread ended before it answered. */
class SqliteError extends Error {
  readonly code: unknown;
  constructor({ message, code }: { message: string; code: unknown }) {
    super(message);
    this.code = code;
  }
}

interface Running {
  worker: Worker;
  asked: Map<number, PromiseWithResolvers<SqliteAnswer>>;
  /** Not posted yet. */
  unsent: Asked[];
}

/**
 * A SQLite file in its own thread: SQLite's calls are synchronous, and would block every request here while they
 * wait. The thread starts with the first request, and after a failure with the next one. Each message wakes the
 * thread, so everything that is asked in one turn of the event loop goes in one message.
 */
export class SqliteThread {
  readonly #options: SqliteOptions;
  #running: Running | undefined;
  #count = 0;
  #closing = false;

  constructor(options: SqliteOptions) {
    this.#options = options;
  }

  ask(request: SqliteRequest): Promise<SqliteAnswer> {
    this.#running ??= this.#start();
    const running = this.#running;
    // The thread keeps the process alive only while a caller waits.
    if (running.asked.size === 0) running.worker.ref();
    if (running.unsent.length === 0) setImmediate(() => this.#send(running));
    this.#count += 1;
    running.unsent.push({ id: this.#count, request });
    const answer = Promise.withResolvers<SqliteAnswer>();
    running.asked.set(this.#count, answer);
    return answer.promise;
  }

  async close(): Promise<void> {
    if (this.#running === undefined) return;
    const { worker } = this.#running;
    const ended = once(worker, 'exit');
    this.#closing = true;
    this.#send(this.#running);
    worker.ref();
    worker.postMessage('close' satisfies ToThread);
    await ended;
  }

  #start(): Running {
    const worker = new Worker(new URL('./sqlite-worker.ts', import.meta.url), {
      // The thread does not need the Node options of this process.
      execArgv: [],
    });
    const running: Running = { worker, asked: new Map(), unsent: [] };
    worker.postMessage(this.#options);
    worker.on('message', (answers: FromThread) => {
      for (const answered of answers) {
        const caller = this.#taken(running, answered.id);
        if ('error' in answered) caller?.reject(new SqliteError(answered.error));
        else caller?.resolve(answered.answer);
      }
    });
    // An error comes before the exit, and a new thread may have started in between.
    const fail = (message: string) => {
      if (this.#running === running) this.#running = undefined;
      for (const { reject } of running.asked.values())
        reject(new SqliteError({ message, code: 'SQLITE_THREAD' }));
      running.asked.clear();
    };
    worker.on('error', ({ message }) => fail(message));
    worker.on('exit', () => fail('the database thread has ended'));
    return running;
  }

  #send(running: Running): void {
    const requests = running.unsent.splice(0);
    try {
      running.worker.postMessage(requests satisfies ToThread);
    } catch {
      // One of them cannot be posted: it is refused, and the others are asked.
      for (const request of requests) this.#sendAlone(running, request);
    }
  }

  #sendAlone(running: Running, request: Asked): void {
    try {
      running.worker.postMessage([request] satisfies ToThread);
    } catch (error) {
      this.#taken(running, request.id)?.reject(error);
    }
  }

  /** The caller who waits for this answer; nobody else does. */
  #taken({ worker, asked }: Running, id: number): PromiseWithResolvers<SqliteAnswer> | undefined {
    const caller = asked.get(id);
    asked.delete(id);
    if (asked.size === 0 && !this.#closing) worker.unref();
    return caller;
  }
}
