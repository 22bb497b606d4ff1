import { type MessagePort, parentPort } from 'node:worker_threads';
import type { SqliteAnswer } from './sqlite-connection.ts';
import { SqliteQueue } from './sqlite-queue.ts';
import type { SqliteOptions, SqliteRequest } from './sqlite-request.ts';

export type ToThread = { id: number; request: SqliteRequest } | 'close';

/** An error that is posted between threads loses its code, so the code is sent beside the message. */
export type FromThread = { id: number } & (
  | { answer: SqliteAnswer }
  | { error: { message: string; code: unknown } }
);

/** Answers the requests that arrive at the port, until it is told to close. */
export function serve(options: SqliteOptions, port: MessagePort | null = parentPort): void {
  const queue = new SqliteQueue(options);
  const post = (message: FromThread) => port?.postMessage(message);
  port?.on('message', (message: ToThread) => {
    if (message === 'close') {
      queue.close();
      // The answers that closing the queue produced are posted first.
      setImmediate(() => port.close());
      return;
    }
    const { id, request } = message;
    queue.ask(request).then(
      (answer) => post({ id, answer }),
      ({ message: text, code }) => post({ id, error: { message: text, code } }),
    );
  });
}

// The first message is the options.
parentPort?.once('message', serve);
