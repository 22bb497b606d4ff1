import { createHash } from 'node:crypto';
import type { Clock } from '../../rules/clock.ts';
import { fingerprint } from '../../rules/fingerprint.ts';
import { Refusal } from '../../rules/refusal.ts';
import type { DpopClaims } from '../../schemas/dpop.ts';
import type { Peers } from '../peers.ts';
import { Nonces } from './nonces.ts';
import { type ReadProof, readProof } from './proof-jws.ts';
import { SeenProofs } from './seen-proofs.ts';
import { targetOf } from './target.ts';

/** Seconds for which a proof counts after its `iat`, or after its nonce was issued. */
const LIFE = 60;

/** How far the clock of the client, or of another node, may be ahead (seconds). */
const SKEW = 5;

/** A request with a DPoP proof. */
export interface ProvenRequest {
  /** The `DPoP` header; undefined without one. */
  proof: string | undefined;
  method: string;
  /** Of the request, with the path of ISSUER, as it came. */
  path: string;
  /** The access token that came with it: the proof must name it (`ath`). */
  token?: string;
}

interface Options {
  issuer: string;
  /** Whether every proof needs a nonce. */
  needsNonce: boolean;
  /** The key of the nonces. */
  nonceKey: () => Buffer;
  peers: Peers;
  clock: Clock;
  seen?: SeenProofs;
}

export const invalidProof = (detail: string) => new Refusal('invalid_dpop_proof', { detail });

/** Checks DPoP proofs (RFC 9449 section 4.3). */
export class DpopProofs {
  readonly #options: Options;
  readonly #origin: string;
  readonly #nonces: Nonces;
  readonly #seen: SeenProofs;

  constructor(options: Options) {
    const { issuer, nonceKey, peers, seen = new SeenProofs() } = options;
    this.#options = options;
    this.#origin = new URL(issuer).origin;
    this.#nonces = new Nonces(nonceKey);
    this.#seen = seen;
    peers.hear('proof', ({ key, second }) => seen.add(key, second, this.#oldest));
  }

  /**
   * The thumbprint of the key, and whether the client uses nonces. Each proof counts once. Refuses with `invalid_dpop_proof`,
   * or with `use_dpop_nonce` if the same with a nonce would do.
   */
  check({ proof, method, path, token }: ProvenRequest): { jkt: string; usesNonces: boolean } {
    if (proof === undefined) throw invalidProof('The request has no DPoP header.');
    const read = readProof(proof);
    if (read === undefined)
      throw invalidProof(
        'The DPoP header is not one JWT of type dpop+jwt, signed by the public key in its jwk.',
      );
    const { claims, thumbprint } = read;
    if (claims.htm !== method) throw invalidProof('htm is not the method of the request.');
    // Never by the Host header, nor by X-Forwarded-Host, which many proxies pass on as it came.
    if (targetOf(claims.htu) !== targetOf(this.#origin + path))
      throw invalidProof(`htu is not the URL of the request, which begins with ${this.#origin}.`);
    if (token !== undefined && claims.ath !== athOf(token))
      throw invalidProof('ath is not the hash of the access token.');
    const second = this.#secondOf(claims);
    this.#remember(read, second);
    return { jkt: thumbprint, usesNonces: this.#options.needsNonce || claims.nonce !== undefined };
  }

  /** For the `DPoP-Nonce` header. */
  nonce(): string {
    return this.#nonces.issue(this.#now);
  }

  get #now(): number {
    return Math.floor(this.#options.clock() / 1_000);
  }

  get #oldest(): number {
    return this.#now - LIFE;
  }

  /** When the proof was made: by its nonce, which is our clock, or else by its `iat`. */
  #secondOf({ nonce, iat, exp, nbf }: DpopClaims): number {
    const now = this.#now;
    if ((exp ?? now + 1) <= now - SKEW || (nbf ?? now) > now + SKEW)
      throw invalidProof('The proof has expired, or is not valid yet.');
    if (nonce === undefined && this.#options.needsNonce) throw new Refusal('use_dpop_nonce');
    const second = nonce === undefined ? Math.floor(iat) : this.#nonces.read(nonce);
    // A client whose clock is wrong is not lost: it has ours, in the nonce (RFC 9449 section 11.1).
    if (second === undefined || second < this.#oldest || second > now + SKEW)
      throw new Refusal('use_dpop_nonce');
    if (this.#seen.hasForgotten(second)) throw new Refusal('use_dpop_nonce');
    return second;
  }

  #remember({ claims, thumbprint }: ReadProof, second: number): void {
    const key = fingerprint(`${thumbprint} ${claims.jti}`);
    if (!this.#seen.add(key, second, this.#oldest))
      throw invalidProof('This proof was used before. Make a new one for each request.');
    this.#options.peers.tell('proof', { key, second });
  }
}

/** RFC 9449 section 4.2. */
const athOf = (token: string): string => createHash('sha256').update(token).digest('base64url');
