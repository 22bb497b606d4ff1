import type { Revocations } from '../verify.d.ts';
import { parsed } from './compact-jws.ts';
import { after, fetched, uptime } from './fetched.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import { LIST_TYPE, Revoked } from './revoked.ts';

/** Seconds for which the issuer may hold its answer back. */
const MOST_WAIT = 20;
/** Milliseconds for an answer that does not wait. */
const TIMEOUT = 5_000;
/** Bytes: some 300,000 revocations. */
const LIMIT = 16_777_216;
/** Milliseconds from one answer to the next request, and the most after failures. */
const PAUSE = 250;
const MOST_PAUSE = 5_000;
/** Milliseconds for which a list is new enough if nothing runs in the background. */
const SAME_FOR = 1_000;

interface Options extends Revocations {
  issuer: string;
  background: boolean;
  /** Whether one call may wait for the request of another. */
  shares: boolean;
  keys: IssuerKeys;
  fetch: typeof fetch;
}

/** Follows the issuer's list of revoked tokens. */
export class RevocationFeed {
  readonly revoked: Revoked;
  #options: Options;
  #controller = new AbortController();
  #isClosed = false;
  /** Of the first list, or of the newest one if nothing runs in the background. */
  #asking: Promise<void> | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;
  #wake = () => {};
  /** Why the last request failed. */
  reason: string | undefined;

  constructor(options: Options) {
    this.#options = options;
    this.revoked = new Revoked(options.issuer);
  }

  /** Whether no token is accepted now, because nobody knows which are revoked. */
  get isRefusing(): boolean {
    const { whenAway, bound } = this.#options;
    return whenAway === 'closed' && this.revoked.age > bound * 1_000;
  }

  /** Resolves when the list is as new as it gets now. Never rejects. */
  async current(): Promise<void> {
    if (this.#isClosed) return undefined;
    if (this.#options.background) {
      this.#asking ??= this.#ask(0).then((isDone) => {
        void this.#follow(isDone);
      });
      return this.#asking;
    }
    const now = uptime();
    const isRecent = now - this.#askedAt < SAME_FOR;
    if (isRecent && (this.#options.shares || this.revoked.cursor || this.reason))
      return this.#asking;
    this.#askedAt = now;
    const asking = this.#ask(0).then(() => {});
    if (this.#options.shares) this.#asking = asking;
    return asking;
  }

  close(): void {
    this.#isClosed = true;
    this.#controller.abort();
    this.#wake();
  }

  async #follow(hasBegun: boolean): Promise<void> {
    const wait = Math.min(MOST_WAIT, Math.floor(this.#options.bound / 3));
    let failures = hasBegun ? 0 : 1;
    while (await this.#pause(failures)) {
      failures = (await this.#ask(failures === 0 ? wait : 0)) ? 0 : failures + 1;
    }
  }

  /** Whether to go on. Spread, so that not all verifiers return to the issuer at once. */
  async #pause(failures: number): Promise<boolean> {
    if (this.#isClosed) return false;
    const milliseconds = Math.min(MOST_PAUSE, PAUSE * 2 ** failures) * (1 + Math.random() / 4);
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      after(milliseconds, resolve);
    });
    return !this.#isClosed;
  }

  /** Whether a list came. `wait`: seconds. */
  async #ask(wait: number): Promise<boolean> {
    const { issuer, keys, fetch } = this.#options;
    const { cursor } = this.revoked;
    this.#controller = new AbortController();
    try {
      const { text } = await fetched({
        fetch,
        url: `${issuer}/.well-known/revocations${cursor ? `?since=${encodeURIComponent(cursor)}` : ''}`,
        headers: wait ? { Prefer: `wait=${wait}` } : {},
        type: 'application/jwt',
        timeout: wait * 1_000 + TIMEOUT,
        limit: LIMIT,
        controller: this.#controller,
      });
      const jws = parsed(text, LIST_TYPE);
      await keys.check(jws);
      this.revoked.learn(jws.claims, cursor);
      return true;
    } catch (error) {
      const { reason, message } = error as { reason?: string; message: string };
      this.reason = reason ?? message;
      return false;
    }
  }
}
