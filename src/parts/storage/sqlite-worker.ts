import { type MessagePort, parentPort } from 'node:worker_threads';
import type { SqliteAnswer } from './sqlite-connection.ts';
import { type SqliteOptions, SqliteQueue, type SqliteRequest } from './sqlite-queue.ts';

export type ToThread = { id: number; request: SqliteRequest } | 'close';

/** `code` is sent apart: structured clone drops it from an error. */
export type FromThread = { id: number } & (
  | { answer: SqliteAnswer }
  | { error: { message: string; code: unknown } }
);

/** Answers requests from the port until it receives `close`. */
export function serve(options: SqliteOptions, port: MessagePort | null = parentPort): void {
  const queue = new SqliteQueue(options);
  const tell = (message: FromThread) => port?.postMessage(message);
  port?.on('message', (message: ToThread) => {
    if (message === 'close') {
      queue.close();
      // The answers that the close has caused are sent first.
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

// The first message has the options.
parentPort?.once('message', serve);
