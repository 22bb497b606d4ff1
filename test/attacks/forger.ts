import {
  constants,
  createHmac,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
} from 'node:crypto';
import type { PrivateJwk } from '../../src/schemas/jwk.ts';

export type Json = Record<string, unknown>;
/** The text of a segment; an object becomes JSON. */
export type Text = Json | string | Buffer;

export const encode = (value: Text): string =>
  Buffer.from(
    typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value),
  ).toString('base64url');

export const decode = (segment = ''): Json =>
  JSON.parse(Buffer.from(segment, 'base64url').toString());

export type Segments = [header: string, claims: string, signature: string];
export const segmentsOf = (token: string): Segments => token.split('.') as Segments;

const privateKeys = new WeakMap<PrivateJwk, KeyObject>();

/** Made once for each key: the first signature with an RSA key takes several times as long as the next. */
export function privateKeyOf(key: PrivateJwk): KeyObject {
  const made = privateKeys.get(key) ?? createPrivateKey({ key, format: 'jwk' });
  privateKeys.set(key, made);
  return made;
}

export const publicKeyOf = (key: PrivateJwk): KeyObject => createPublicKey({ key, format: 'jwk' });
export const secretOf = ({ k }: PrivateJwk): Buffer => Buffer.from(String(k), 'base64url');

export const hmac = (text: string, secret: string | Buffer, bits = '256'): Buffer =>
  createHmac(`sha${bits}`, secret).update(text).digest();

/** Signs with a key, with any `alg` that its type supports (RFC 7518, RFC 8037). */
export function signature(text: string, jwk: PrivateJwk, alg: string = jwk.alg ?? 'HS256'): Buffer {
  const bits = alg.slice(2);
  if (jwk.kty === 'oct') return hmac(text, secretOf(jwk), bits);
  const key = privateKeyOf(jwk);
  const data = Buffer.from(text);
  if (jwk.kty === 'OKP') return sign(null, data, key);
  if (jwk.kty === 'EC') return sign(`sha${bits}`, data, { key, dsaEncoding: 'ieee-p1363' });
  return alg.startsWith('PS')
    ? salted(data, key, bits, Number(bits) / 8)
    : sign(`sha${bits}`, data, key);
}

/** RSASSA-PSS with a salt of any length; RFC 7518 section 3.5 requires the length of the hash. */
export const salted = (data: Buffer, key: KeyObject, bits: string, saltLength: number): Buffer =>
  sign(`sha${bits}`, data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });

interface Parts {
  header?: Text;
  claims?: Text;
}

/** What a forger has: a valid token, and the key that signed it. */
export class Forger {
  readonly token: string;
  readonly jwk: PrivateJwk;
  readonly header: Json;
  readonly claims: Json;
  readonly segments: Segments;

  constructor(token: string, jwk: PrivateJwk) {
    this.token = token;
    this.jwk = jwk;
    this.segments = segmentsOf(token);
    this.header = decode(this.segments[0]);
    this.claims = decode(this.segments[1]);
  }

  /** The signed part: a header and claims, by default those of the valid token. */
  input = ({ header = this.header, claims = this.claims }: Parts = {}): string =>
    `${encode(header)}.${encode(claims)}`;

  /** A token with this header and these claims, signed by the real key. */
  make = (parts: Parts = {}): string => this.sign(this.input(parts));

  /** Any text, signed by the real key. */
  sign = (input: string): string => `${input}.${encode(signature(input, this.jwk))}`;

  withHeader = (changes: Json): string => this.make({ header: { ...this.header, ...changes } });

  withClaims = (changes: Json): string => this.make({ claims: { ...this.claims, ...changes } });

  /** The real header and claims under another signature. */
  signedAs = (by: Buffer | ((input: string) => Buffer)): string => {
    const input = this.input();
    return `${input}.${encode(typeof by === 'function' ? by(input) : by)}`;
  };
}
