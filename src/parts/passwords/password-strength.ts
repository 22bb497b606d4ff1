import { Worker } from 'node:worker_threads';
import { Refusal } from '../../rules/refusal.ts';
import { HashQueue, type Turn } from './hash-queue.ts';
import type { StrengthQuestion } from './password-strength-worker.ts';

/** Questions that may wait at once: of strangers, and as many of others. */
const MAX_WAITING = 100;

/**
 * Tells common and guessable passwords, offline, by the dictionaries of zxcvbn. Its work takes long enough to
 * be felt by everybody else, so it has a thread of its own, which starts with the first question.
 */
export class PasswordStrength {
  /** One question at a time: the thread's own queue has no way back for a client that goes away. */
  readonly #queue = new HashQueue({ concurrency: 1, waiting: MAX_WAITING });
  #worker: Worker | undefined;
  #asked: PromiseWithResolvers<boolean> | undefined;

  /** `userInputs`: words that a guesser of this very password would try first. Refuses with `overloaded`. */
  isStrong(password: string, userInputs: string[], turn?: Turn): Promise<boolean> {
    return this.#queue.run(() => this.#ask({ password, userInputs }), turn);
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #ask(question: StrengthQuestion): Promise<boolean> {
    this.#worker ??= this.#start();
    this.#asked = Promise.withResolvers();
    this.#worker.postMessage(question);
    this.#worker.ref();
    return this.#asked.promise;
  }

  #start(): Worker {
    const worker = new Worker(new URL('./password-strength-worker.ts', import.meta.url));
    worker.on('message', (isStrong: boolean) => {
      this.#asked?.resolve(isStrong);
      // It keeps the process alive only while somebody waits.
      worker.unref();
    });
    // An error comes before the exit, and in between another thread may have taken over.
    const fail = (reason: string) => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      this.#asked?.reject(new Refusal('overloaded', { retryAfter: 2, reason }));
    };
    worker.on('error', ({ message }) => fail(message));
    worker.on('exit', () => fail('the thread of the password check has ended'));
    return worker;
  }
}
