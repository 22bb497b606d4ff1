import { randomBytes } from 'node:crypto';
import fastifyJwt from '@fastify/jwt';
import Fastify from 'fastify';
import type { BuildJws, JwsSpec } from '../keys/jws-specs.ts';
import { ALGORITHMS } from './jws-algorithms.ts';

type Payload = Record<string, unknown>;

/** Characters of a signature of ES256 and EdDSA. */
const SIGNATURE = 86;

/** `@fastify/jwt`'s decoder: refuses segments, headers and payloads that are malformed, and another `typ`. */
async function decoderOf(typ: string): Promise<(token: string) => Payload> {
  const carrier = Fastify();
  // The secret is required, but nothing is signed with it.
  await carrier.register(fastifyJwt, { secret: randomBytes(32), decode: { checkTyp: typ } });
  return (token) => carrier.jwt.decode<Payload>(token) as Payload;
}

const base64url = (json: object): string => Buffer.from(JSON.stringify(json)).toString('base64url');

/**
 * Compact JWS (RFC 7515 section 7.1). `@fastify/jwt` would parse the PEM of its key for each signature, which takes
 * longer than an HMAC and half as long as ES256; so the signatures are made here, with key objects.
 *
 * Times are checked in `access-tokens.ts` and `own-tokens.ts`, with the injected clock and their own limits.
 */
async function jwsOf(spec: JwsSpec) {
  const { alg, typ, kid, issuer, audiences, requiredClaims, privateKey, publicKey } = spec;
  const algorithm = ALGORITHMS[alg];
  const decode = await decoderOf(typ);
  const header = base64url({ alg, typ, kid });
  const sign = (claims: object): string => {
    const input = `${header}.${base64url(claims)}`;
    return `${input}.${algorithm.sign(Buffer.from(input), privateKey).toString('base64url')}`;
  };
  const signElsewhere = algorithm.signElsewhere ?? algorithm.sign;
  const signLong = async (payload: Buffer): Promise<Buffer> => {
    const input = Buffer.concat([Buffer.from(`${header}.`), payload]);
    const signature = await signElsewhere(input, privateKey);
    return Buffer.concat([input, Buffer.from(`.${signature.toString('base64url')}`)]);
  };
  const verify = (token: string): unknown => {
    const end = token.lastIndexOf('.');
    const input = Buffer.from(token.slice(0, end));
    const signature = Buffer.from(token.slice(end + 1), 'base64url');
    if (!token.startsWith(`${header}.`) || !algorithm.verify(input, publicKey, signature))
      throw new Error('The token signature is invalid.');
    const payload = decode(token);
    const missing = requiredClaims.find((name) => !Object.hasOwn(payload, name));
    if (missing !== undefined) throw new Error(`The ${missing} claim is required.`);
    if (payload['iss'] !== issuer) throw new Error('The iss claim value is not allowed.');
    if (!audiences.includes(payload['aud'] as string))
      throw new Error('The aud claim value is not allowed.');
    return payload;
  };
  // A key that cannot sign is found now, while the old keys are still in use.
  const sample = sign({});
  const excess = Math.max(0, sample.length - sample.lastIndexOf('.') - 1 - SIGNATURE);
  const overhead = sample.length - base64url({}).length - excess;
  return { ...spec, header, overhead, excess, sign, signLong, verify };
}

export const buildJws: BuildJws = (specs) => Promise.all(specs.map(jwsOf));
