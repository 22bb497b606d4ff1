import { type MessagePort, parentPort } from 'node:worker_threads';
import type { SqliteAnswer } from './sqlite-connection.ts';
import { type SqliteOptions, SqliteQueue, type SqliteRequest } from './sqlite-queue.ts';

export type ToThread = { id: number; request: SqliteRequest } | 'close';

/** An error does not cross with its code. */
export type FromThread = { id: number } & (
  | { answer: SqliteAnswer }
  | { error: { message: string; code: unknown } }
);

/** Answers what comes through the port, until the end is asked for. */
export function serve(options: SqliteOptions, port: MessagePort | null = parentPort): void {
  const queue = new SqliteQueue(options);
  const tell = (message: FromThread) => port?.postMessage(message);
  port?.on('message', (message: ToThread) => {
    if (message === 'close') {
      queue.close();
      // What the end has answered goes out first.
      setImmediate(() => port.close());
      return;
    }
    const { id, request } = message;
    queue.ask(request).then(
      (answer) => tell({ id, answer }),
      ({ message: text, code }) => tell({ id, error: { message: text, code } }),
    );
  });
}

// What is to be opened comes first.
parentPort?.once('message', serve);
