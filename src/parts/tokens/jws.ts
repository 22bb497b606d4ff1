import fastifyJwt from '@fastify/jwt';
import Fastify from 'fastify';
import type { BuildJws } from '../keys/key-ring.ts';

/**
 * `@fastify/jwt` builds its signer and verifier once per registration, from fixed options; options given per call
 * would build them again each time. So each key is its own registration, with a namespace, on a Fastify instance that
 * never listens.
 *
 * Times are checked in `access-tokens.ts` and `own-tokens.ts`, with the injected clock and their own limits.
 */
export const buildJws: BuildJws = async (specs) => {
  const carrier = Fastify();
  specs.forEach((spec, index) => {
    const { alg, kid, typ, issuer, audience, requiredClaims, privateKey, publicKey } = spec;
    carrier.register(fastifyJwt, {
      namespace: `key${index}`,
      secret: { private: privateKey, public: publicKey },
      sign: { algorithm: alg, kid, header: { alg, typ } },
      verify: {
        algorithms: [alg],
        allowedIss: issuer,
        allowedAud: audience,
        checkTyp: typ,
        requiredClaims,
        cache: false,
        clockTolerance: 0,
        ignoreExpiration: true,
        ignoreNotBefore: true,
      },
    });
  });
  await carrier.ready();
  const instances = carrier.jwt as unknown as Record<string, typeof carrier.jwt>;
  return specs.map((spec, index) => {
    const jwt = instances[`key${index}`] as typeof carrier.jwt;
    return {
      ...spec,
      header: jwt.sign({}).split('.', 1)[0] as string,
      sign: (claims) => jwt.sign(claims),
      verify: (token) => jwt.verify(token),
    };
  });
};
