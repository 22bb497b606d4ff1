import { Worker } from 'node:worker_threads';
import { Refusal } from '../refusal.ts';
import type { StrengthAnswer, StrengthQuestion } from './password-strength-worker.ts';

/** Questions that may wait at once. */
const MAX_WAITING = 100;

interface Waiting {
  resolve(isStrong: boolean): void;
  reject(error: Error): void;
}

/**
 * Tells common and guessable passwords, offline, by the dictionaries of zxcvbn. Its work takes long enough to
 * be felt by everybody else, so it has a thread of its own, which starts with the first question.
 */
export class PasswordStrength {
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #asked = 0;

  /** `context`: words that a guesser of this very password would try first. Refuses with `overloaded`. */
  isStrong(password: string, context: string[]): Promise<boolean> {
    if (this.#waiting.size >= MAX_WAITING) throw new Refusal('overloaded', { retryAfter: 2 });
    this.#worker ??= this.#start();
    this.#asked += 1;
    const question: StrengthQuestion = { id: this.#asked, password, context };
    return new Promise((resolve, reject) => {
      this.#waiting.set(question.id, { resolve, reject });
      this.#worker?.postMessage(question);
      this.#worker?.ref();
    });
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(new URL('./password-strength-worker.ts', import.meta.url));
    worker.on('message', ({ id, isStrong }: StrengthAnswer) => {
      this.#waiting.get(id)?.resolve(isStrong);
      this.#waiting.delete(id);
      // It keeps the process alive only while somebody waits.
      if (this.#waiting.size === 0) worker.unref();
    });
    // An error comes before the exit, and in between another thread may have taken over.
    const fail = (reason: string) => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      const refusal = new Refusal('overloaded', { retryAfter: 2, reason });
      for (const { reject } of this.#waiting.values()) reject(refusal);
      this.#waiting.clear();
    };
    worker.on('error', ({ message }) => fail(message));
    worker.on('exit', () => fail('the thread of the password check has ended'));
    return worker;
  }
}
