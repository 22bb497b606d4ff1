import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { SqliteAnswer } from './sqlite-connection.ts';
import type { SqliteOptions, SqliteRequest } from './sqlite-request.ts';
import type { FromThread, ToThread } from './sqlite-worker.ts';

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
}

/**
 * A SQLite file in its own thread: SQLite's calls are synchronous, and would block every request here while they
 * wait. The thread starts with the first request, and after a failure with the next one.
 */
export class SqliteThread {
  readonly #options: SqliteOptions;
  #running: Running | undefined;
  #count = 0;
  #closing = false;

  constructor(options: SqliteOptions) {
    this.#options = options;
  }

  async ask(request: SqliteRequest): Promise<SqliteAnswer> {
    this.#running ??= this.#start();
    const { worker, asked } = this.#running;
    this.#count += 1;
    worker.postMessage({ id: this.#count, request } satisfies ToThread);
    const answer = Promise.withResolvers<SqliteAnswer>();
    asked.set(this.#count, answer);
    // The thread keeps the process alive only while a caller waits.
    worker.ref();
    return answer.promise;
  }

  async close(): Promise<void> {
    if (this.#running === undefined) return;
    const { worker } = this.#running;
    const ended = once(worker, 'exit');
    this.#closing = true;
    worker.ref();
    worker.postMessage('close' satisfies ToThread);
    await ended;
  }

  #start(): Running {
    const worker = new Worker(new URL('./sqlite-worker.ts', import.meta.url), {
      // The thread does not need the Node options of this process.
      execArgv: [],
    });
    const running: Running = { worker, asked: new Map() };
    worker.postMessage(this.#options);
    worker.on('message', (message: FromThread) => {
      const answer = running.asked.get(message.id);
      running.asked.delete(message.id);
      if (running.asked.size === 0 && !this.#closing) worker.unref();
      if ('error' in message) answer?.reject(new SqliteError(message.error));
      else answer?.resolve(message.answer);
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
}
