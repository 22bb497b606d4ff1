import { Worker } from 'node:worker_threads';
import { Refusal } from '../../rules/refusal.ts';
import { HashQueue, type Turn } from './hash-queue.ts';
import type { StrengthQuestion } from './password-strength-worker.ts';

/** Checks that may wait: this many for strangers, and this many for all others. */
const MAX_WAITING = 100;

/**
 * Detects common and guessable passwords, offline, with zxcvbn's dictionaries. Runs in its own thread, because a check
 * takes long enough to delay other requests. The thread starts with the first check.
 */
export class PasswordStrength {
  /** One check at a time: a message posted to the thread could not be withdrawn when its client disconnects. */
  readonly #queue = new HashQueue({ concurrency: 1, waiting: MAX_WAITING });
  #worker: Worker | undefined;
  #asked: PromiseWithResolvers<boolean> | undefined;

  /** `userInputs`: words that an attacker would try first for this user. Refuses with `overloaded`. */
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
      // The thread keeps the process alive only while a check is pending.
      worker.unref();
    });
    // 'error' comes before 'exit', and in between a new thread may have started.
    const fail = (reason: string) => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      this.#asked?.reject(new Refusal('overloaded', { retryAfter: 2, reason }));
    };
    worker.on('error', ({ message }) => fail(message));
    worker.on('exit', () => fail('the password check thread has ended'));
    return worker;
  }
}
