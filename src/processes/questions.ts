import type { GuessAnswer, GuessQuestion } from '../parts/guessing/unknown-guesses.ts';
import { Refusal } from '../rules/refusal.ts';
import type { Report } from './messages.ts';

type Send = (report: Report, sent: (error: Error | null) => void) => void;

/** What a worker asks the primary and waits for. Fails with `overloaded` if the primary is gone. */
export class Questions {
  readonly #send: Send;
  readonly #waiting = new Map<number, PromiseWithResolvers<GuessAnswer>>();
  #count = 0;

  constructor(send: Send) {
    this.#send = send;
  }

  ask(question: GuessQuestion): Promise<GuessAnswer> {
    this.#count += 1;
    const id = this.#count;
    const waiting = Promise.withResolvers<GuessAnswer>();
    this.#waiting.set(id, waiting);
    this.#send({ type: 'ask', id, question }, (error) => {
      if (error) this.fail();
    });
    return waiting.promise.finally(() => this.#waiting.delete(id));
  }

  answered(id: number, answer: GuessAnswer): void {
    this.#waiting.get(id)?.resolve(answer);
  }

  /** The primary is gone: nobody will answer. */
  fail(): void {
    for (const { reject } of this.#waiting.values())
      reject(new Refusal('overloaded', { retryAfter: 1 }));
  }
}
