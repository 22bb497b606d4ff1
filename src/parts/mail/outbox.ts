import type { Letter } from './letter.ts';
import type { MailTransport } from './transport.ts';

export interface OutboxLog {
  sent(letter: Letter): void;
  retried(error: unknown): void;
  givenUp(error: unknown): void;
}

/** Wait before each attempt (ms). The first lets the answer go out, so that response times reveal nothing about mails. */
export const MAIL_WAITS = [50, 1_000, 10_000, 60_000];

/** Most letters waiting or being sent; further ones are given up. */
const MAX_WAITING = 10_000;

/** Sends letters after the answer has gone out, and retries a few times. `post` never throws and never waits. */
export class Outbox {
  readonly #transport: MailTransport;
  readonly #log: OutboxLog;
  readonly #waits: number[];
  readonly #waiting = new Map<NodeJS.Timeout, () => Promise<void>>();
  readonly #sending = new Set<Promise<void>>();

  constructor(transport: MailTransport, log: OutboxLog, waits = MAIL_WAITS) {
    this.#transport = transport;
    this.#log = log;
    this.#waits = waits;
  }

  /** Letters that wait or are being sent. */
  get length(): number {
    return this.#waiting.size + this.#sending.size;
  }

  /** `compose` also runs later, so that making a token does not delay the answer. */
  post(to: string, compose: () => Letter): void {
    if (this.length >= MAX_WAITING) {
      this.#log.givenUp(new Error('too many letters are waiting'));
      return;
    }
    this.#schedule(to, compose, 0);
  }

  /** Gives every waiting letter one last attempt now. */
  async close(): Promise<void> {
    // A letter that was being sent and failed is waiting again.
    while (this.length > 0) {
      const last = [...this.#waiting].map(([timer, send]) => {
        clearTimeout(timer);
        return send();
      });
      this.#waiting.clear();
      await Promise.all([...last, ...this.#sending]);
    }
    this.#transport.close();
  }

  #schedule(to: string, compose: () => Letter, round: number): void {
    const timer = setTimeout(() => {
      this.#waiting.delete(timer);
      const sending = this.#try(to, compose, round).finally(() => this.#sending.delete(sending));
      this.#sending.add(sending);
    }, this.#waits[round]);
    this.#waiting.set(timer, () => this.#try(to, compose, this.#waits.length));
  }

  async #try(to: string, compose: () => Letter, round: number): Promise<void> {
    try {
      const letter = compose();
      await this.#transport.send(to, letter);
      this.#log.sent(letter);
    } catch (error) {
      if (round + 1 < this.#waits.length) {
        this.#log.retried(error);
        this.#schedule(to, compose, round + 1);
      } else {
        this.#log.givenUp(error);
      }
    }
  }
}
