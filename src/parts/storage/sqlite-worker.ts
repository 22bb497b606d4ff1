import { type MessagePort, parentPort } from 'node:worker_threads';
import type { SqliteAnswer } from './sqlite-connection.ts';
import { SqliteQueue } from './sqlite-queue.ts';
import type { SqliteOptions, SqliteRequest } from './sqlite-request.ts';

export interface Asked {
  id: number;
  request: SqliteRequest;
}

/** An error that is posted between threads loses its code, so the code is sent beside the message. */
export type Answered = { id: number } & (
  | { answer: SqliteAnswer }
  | { error: { message: string; code: unknown } }
);

/** All of one turn of the event loop: each message wakes the other thread. */
export type ToThread = Asked[] | 'close';
export type FromThread = Answered[];

/** Answers the requests that arrive at the port, until it is told to close. */
export function serve(options: SqliteOptions, port: MessagePort | null = parentPort): void {
  const queue = new SqliteQueue(options);
  let answers: FromThread = [];
  const post = () => {
    port?.postMessage(answers);
    answers = [];
  };
  const give = (answer: Answered) => {
    if (answers.length === 0) setImmediate(post);
    answers.push(answer);
  };
  port?.on('message', (message: ToThread) => {
    if (message === 'close') {
      queue.close();
      // The answers that closing the queue produced are posted first.
      setImmediate(() => setImmediate(() => port.close()));
      return;
    }
    for (const { id, request } of message)
      queue.ask(request).then(
        (answer) => give({ id, answer }),
        ({ message: text, code }) => give({ id, error: { message: text, code } }),
      );
  });
}

// The first message is the options.
parentPort?.once('message', serve);
