import { LRUCache } from 'lru-cache';
import type { Clock, Uptime } from '../../rules/clock.ts';
import { Refusal } from '../../rules/refusal.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { documentBytes } from './document-bytes.ts';
import type { RevocationFeed } from './revocation-feed.ts';
import type { Revocation, RevocationLog } from './revocation-log.ts';

/** Seconds from `iat` to `exp`: how long a document says anything. */
const DOCUMENT_LIFE = 60;

/** A document is signed once for all who ask within this time (ms). */
const SAME_FOR = 1_000;

/** Documents in memory: the whole set, and one for each cursor that is asked for now. */
const MAX_DOCUMENTS = 32;

interface Options {
  log: RevocationLog;
  feed: RevocationFeed;
  keys: KeyRing;
  clock: Clock;
  uptime: Uptime;
}

/** The revocation snapshot for other services: a JWT, signed with the key of the access tokens. */
export class RevocationDocument {
  readonly #options: Options;
  readonly #signed = new LRUCache<string, { token: Promise<Buffer>; madeAt: number }>({
    max: MAX_DOCUMENTS,
  });
  /** Of the log, when the documents in memory were signed. */
  #state = '';

  constructor(options: Options) {
    this.#options = options;
  }

  /** False while the key is a shared secret (HS256), with which nobody else can verify. */
  get isVerifiable(): boolean {
    const { keys, clock } = this.#options;
    return keys.signingKey(clock())?.publicJwk !== undefined;
  }

  /** Changes with what the document says, not with when it was signed. */
  get etag(): string {
    return `W/"${this.#options.log.state}"`;
  }

  /** Whether somebody at this cursor knows everything. */
  isCurrent(cursor: string): boolean {
    const { log, clock } = this.#options;
    return log.after(cursor, clock())?.length === 0;
  }

  /**
   * What was revoked since the cursor, or everything. `iat` is when the database was last asked. Refuses with `unavailable`
   * when that was too long ago for the document to say anything.
   */
  sign(since: string | undefined): Promise<Buffer> {
    const { log, clock, uptime } = this.#options;
    const later = since === undefined ? undefined : log.after(since, clock());
    // Every cursor that cannot be followed gets the same document: the whole.
    const key = `${log.state} ${later === undefined ? '' : since}`;
    if (this.#state !== log.state) this.#signed.clear();
    this.#state = log.state;
    const known = this.#signed.get(key);
    const now = uptime();
    if (known && now - known.madeAt < SAME_FOR) return known.token;
    const token = this.#sign(since, later);
    this.#signed.set(key, { token, madeAt: now });
    token.catch(() => this.#signed.delete(key));
    return token;
  }

  /** `later`: what came after the cursor; undefined if the reader needs the whole. */
  async #sign(since: string | undefined, later: Revocation[] | undefined): Promise<Buffer> {
    const { log, feed, keys, clock } = this.#options;
    const now = clock();
    const learned = now - feed.age;
    const iat = Math.floor(learned / 1_000);
    if (now >= (iat + DOCUMENT_LIFE) * 1_000) throw new Refusal('unavailable', { retryAfter: 1 });
    const signer = keys.signer('revocations', now);
    const claims = {
      iss: signer.issuer,
      aud: signer.audiences[0],
      iat,
      exp: iat + DOCUMENT_LIFE,
      // Another node goes by this time, and knows what this one has not heard since.
      cursor: log.cursor(Math.floor(learned)),
      ...(later && { since }),
    };
    return signer.signLong(await documentBytes(claims, later ?? log.all()));
  }
}
