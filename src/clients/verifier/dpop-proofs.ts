import type { Algorithm, Proven } from '../verify.d.ts';
import { SKEW, wallTime } from './access-claims.ts';
import { bytesOf, parsed } from './compact-jws.ts';
import { imported, isSigned } from './issuer-keys.ts';
import { TokenError } from './token-error.ts';

const PROOF_TYPE = /^dpop\+jwt$/;

/** Seconds for which a proof counts. */
const PROOF_LIFE = 60;

/** Those of all types of keys in one (RFC 7638 section 3.2): a key has some of them, in this order. */
const MEMBERS = ['crv', 'e', 'kty', 'n', 'x', 'y'];

const isHash = async (hash: unknown, text: string): Promise<boolean> => {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return `${new Uint8Array(digest)}` === `${bytesOf(`${hash}`)}`;
};

const targetOf = (text: unknown): string => {
  const { origin, pathname } = new URL(`${text}`);
  return origin + pathname;
};

/** Checks DPoP proofs (RFC 9449 section 4.3) for tokens that are bound to a key. */
export class DpopProofs {
  /**
   * When each was made, in the order in which they came. Only the holder of a valid token can add one, and a process cannot check
   * more of them in a minute than it has room for.
   */
  #seen = new Map<string, number>();

  /** Refuses a proof that is not one of this key for this request and this token, or that was used before. */
  async check({ proof, method, url }: Proven, token: string, jkt: unknown): Promise<void> {
    try {
      const jws = parsed(proof, PROOF_TYPE);
      const { jwk, alg } = jws.header as { jwk: Record<string, string>; alg: string };
      const name = (alg === 'Ed25519' ? 'EdDSA' : alg) as Algorithm;
      if ('d' in jwk || 'k' in jwk || (jwk['e'] ?? 'AQAB') !== 'AQAB') throw 'jwk';
      const key = await imported({ ...jwk, alg: name }, [name]);
      if (!key || !(await isSigned(key, jws))) throw 'signature';
      if (!(await isHash(jkt, JSON.stringify(jwk, MEMBERS)))) throw 'cnf';
      const { jti, htm, htu, iat, ath } = jws.claims;
      if (htm !== method) throw 'htm';
      if (targetOf(htu) !== targetOf(url)) throw 'htu';
      if (!(await isHash(ath, token))) throw 'ath';
      this.#use(`${jkt} ${jti}`, iat as number);
    } catch (error) {
      const { reason = `${error}` } = error as { reason?: string };
      throw new TokenError('invalid_dpop_proof', reason);
    }
  }

  #use(key: string, iat: number): void {
    const now = wallTime();
    if (!(iat >= now - PROOF_LIFE && iat <= now + SKEW)) throw 'iat';
    for (const [old, made] of this.#seen) {
      if (made >= now - PROOF_LIFE) break;
      this.#seen.delete(old);
    }
    if (this.#seen.has(key)) throw 'jti';
    this.#seen.set(key, iat);
  }
}
