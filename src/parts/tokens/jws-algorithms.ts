import { constants, createHmac, type KeyObject, sign, verify } from 'node:crypto';
import { promisify } from 'node:util';
import type { SigningAlgorithm } from '../../schemas/jwk.ts';
import { isSame } from '../is-same.ts';

interface Algorithm {
  sign(input: Buffer, key: KeyObject): Buffer;
  /** In another thread, for an input of megabytes. */
  signElsewhere?(input: Buffer, key: KeyObject): Promise<Buffer>;
  verify(input: Buffer, key: KeyObject, signature: Buffer): boolean;
}

const signInThread = promisify(sign);

const asymmetric = (digest: 'sha256' | null, options: object): Algorithm => ({
  sign: (input, key) => sign(digest, input, { key, ...options }),
  signElsewhere: (input, key) => signInThread(digest, input, { key, ...options }),
  verify: (input, key, signature) => verify(digest, input, { key, ...options }, signature),
});

const hmac = (input: Buffer, key: KeyObject): Buffer =>
  createHmac('sha256', key).update(input).digest();

/** The algorithms of RFC 7518 section 3.1 and RFC 8037 section 3.1 that a key may have. */
export const ALGORITHMS: Record<SigningAlgorithm, Algorithm> = {
  // A signature is R and S, not DER (RFC 7518 section 3.4).
  ES256: asymmetric('sha256', { dsaEncoding: 'ieee-p1363' }),
  RS256: asymmetric('sha256', { padding: constants.RSA_PKCS1_PADDING }),
  PS256: asymmetric('sha256', {
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  }),
  EdDSA: asymmetric(null, {}),
  HS256: {
    sign: hmac,
    verify: (input, key, signature) => isSame(signature, hmac(input, key)),
  },
};
