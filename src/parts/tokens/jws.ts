import fastifyJwt from '@fastify/jwt';
import Fastify from 'fastify';
import type { BuildJws } from '../keys/key-ring.ts';

/**
 * `@fastify/jwt` builds its signer and its verifier once for each registration, from fixed options; options
 * given later, for one call, would build them anew each time. So every key is a registration of its own,
 * under a namespace, on an instance that is there to carry them and never listens.
 *
 * Times are not looked at here: `access-tokens.ts` and `own-tokens.ts` do that, with their own clock and bounds.
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
