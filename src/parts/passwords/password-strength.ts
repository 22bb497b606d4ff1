import { Worker } from 'node:worker_threads';
import { Refusal } from '../../rules/refusal.ts';
import { HashQueue, type Turn } from './hash-queue.ts';
import type { StrengthQuestion } from './password-strength-worker.ts';

/** Checks that may wait: this many for strangers, and this many for all others. */
const MAX_WAITING = 100;

/** Milliseconds without a check after which the thread ends. Its dictionaries take 60 MB, and half a second to load. */
const IDLE = 300_000;

/**
 * Limits of the thread's heap. The dictionaries need 35 MB of it. Without limits V8 collects garbage so late that the
 * thread takes 200 MB.
 */
const HEAP = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 4 };

/**
 * Detects common and guessable passwords, offline, with zxcvbn's dictionaries. Runs in its own thread, because a check
 * takes long enough to delay other requests. The thread starts with the first check, and ends when it has been idle.
 */
export class PasswordStrength {
  /** One check at a time: a message posted to the thread could not be withdrawn when its client disconnects. */
  readonly #queue = new HashQueue({ concurrency: 1, waiting: MAX_WAITING });
  #worker: Worker | undefined;
  #asked: PromiseWithResolvers<boolean> | undefined;
  readonly #idle: number;
  #ending: NodeJS.Timeout | undefined;

  /** `idle`: milliseconds. */
  constructor(idle = IDLE) {
    this.#idle = idle;
  }

  /** `userInputs`: words that an attacker would try first for this user. Refuses with `overloaded`. */
  isStrong(password: string, userInputs: string[], turn?: Turn): Promise<boolean> {
    return this.#queue.run(() => this.#ask({ password, userInputs }), turn);
  }

  async close(): Promise<void> {
    clearTimeout(this.#ending);
    await this.#worker?.terminate();
  }

  /** A check that arrives while the idle thread ends starts a new one. */
  #end(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
  }

  #ask(question: StrengthQuestion): Promise<boolean> {
    clearTimeout(this.#ending);
    this.#worker ??= this.#start();
    this.#asked = Promise.withResolvers();
    this.#worker.postMessage(question);
    this.#worker.ref();
    return this.#asked.promise;
  }

  #start(): Worker {
    const worker = new Worker(new URL('./password-strength-worker.ts', import.meta.url), {
      resourceLimits: HEAP,
    });
    worker.on('message', (isStrong: boolean) => {
      this.#asked?.resolve(isStrong);
      // The thread keeps the process alive only while a check is pending.
      worker.unref();
      this.#ending = setTimeout(() => this.#end(), this.#idle).unref();
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
