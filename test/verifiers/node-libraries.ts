import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler, type RequestHandler } from 'express';
import { expressjwt } from 'express-jwt';
import { createVerifier } from 'fast-jwt';
import buildGetJwks from 'get-jwks';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import jwt, { type Algorithm } from 'jsonwebtoken';
import jwksRsa from 'jwks-rsa';
import passport from 'passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import type { Test } from 'tap';
import type { SigningAlgorithm } from '../../src/schemas/jwk.ts';
import type { Trust } from './issuer.ts';

/** The `sub` of a valid token. Rejects any other token. */
export type Verify = (token: string) => Promise<unknown>;

export interface Library {
  /** Its row in the table of .github/VERIFYING.md. */
  row: string;
  algorithms: readonly SigningAlgorithm[];
  build(trust: Trust, t: Test): Verify | Promise<Verify>;
}

const WITHOUT_EDDSA = ['ES256', 'RS256', 'PS256'] as const;
/** The types of jsonwebtoken know no EdDSA: it is passed to see it refused. */
const algorithmsOf = ({ alg }: Trust) => [alg as Algorithm];

const jose: Library = {
  row: 'JavaScript: jose 6',
  algorithms: [...WITHOUT_EDDSA, 'EdDSA'],
  build: ({ alg, issuer, audience, keys }) => {
    const keySet = createRemoteJWKSet(new URL(keys));
    const options = { algorithms: [alg], typ: 'at+jwt', issuer, audience };
    return async (token) => (await jwtVerify(token, keySet, options)).payload.sub;
  },
};

const jsonwebtoken: Library = {
  row: 'Node: jsonwebtoken 9 with jwks-rsa 4',
  algorithms: WITHOUT_EDDSA,
  build: (trust) => {
    const client = jwksRsa({ jwksUri: trust.keys });
    const options = {
      algorithms: algorithmsOf(trust),
      issuer: trust.issuer,
      audience: trust.audience,
    };
    return (token) =>
      new Promise((resolve, reject) => {
        jwt.verify(
          token,
          ({ kid }, done) => {
            client.getSigningKey(kid).then((key) => done(null, key.getPublicKey()), done);
          },
          options,
          (error, claims) => (error ? reject(error) : resolve(claims?.sub)),
        );
      });
  },
};

const fastJwt: Library = {
  row: 'Node: fast-jwt 6 with get-jwks 11',
  algorithms: WITHOUT_EDDSA,
  build: ({ alg, issuer, audience }) => {
    const keySet = buildGetJwks({ issuersWhitelist: [issuer] });
    const verify = createVerifier({
      key: ({ header }: { header: Record<string, string> }) =>
        keySet.getPublicKey({ domain: issuer, alg, kid: `${header['kid']}` }),
      algorithms: [alg],
      allowedIss: issuer,
      allowedAud: audience,
      checkTyp: 'at+jwt',
      requiredClaims: ['sub', 'iat', 'exp'],
    });
    return async (token) => (await verify(token)).sub;
  },
};

/** Without it, Express writes each error to the console. */
const refuse: ErrorRequestHandler = (_error, _request, response, _next) => {
  response.sendStatus(401);
};

/** Asks an Express application whose one route is guarded. */
async function guarded(t: Test, ...guards: RequestHandler[]): Promise<Verify> {
  const server = express()
    .get('/', ...guards)
    .use(refuse)
    .listen(0, '127.0.0.1') as Server;
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  return async (token) => {
    const headers = { authorization: `Bearer ${token}`, connection: 'close' };
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers });
    if (answer.status !== 200) throw new Error(`status ${answer.status}`);
    return answer.text();
  };
}

const expressJwt: Library = {
  row: 'Express: express-jwt 8 with jwks-rsa 4',
  algorithms: WITHOUT_EDDSA,
  build: (trust, t) =>
    guarded(
      t,
      expressjwt({
        secret: jwksRsa.expressJwtSecret({ jwksUri: trust.keys }) as never,
        algorithms: algorithmsOf(trust),
        issuer: trust.issuer,
        audience: trust.audience,
      }),
      (request, response) => {
        response.send((request as typeof request & { auth: { sub: string } }).auth.sub);
      },
    ),
};

const passportJwt: Library = {
  row: 'Passport: passport-jwt 4 with jwks-rsa 4',
  algorithms: WITHOUT_EDDSA,
  build: (trust, t) => {
    const strategy = new Strategy(
      {
        jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
        secretOrKeyProvider: jwksRsa.passportJwtSecret({ jwksUri: trust.keys }),
        algorithms: algorithmsOf(trust),
        issuer: trust.issuer,
        audience: trust.audience,
      },
      (claims, done) => done(null, claims),
    );
    const authenticator = new passport.Passport().use(strategy);
    return guarded(
      t,
      authenticator.authenticate('jwt', { session: false }),
      (request, response) => {
        response.send((request.user as { sub: string }).sub);
      },
    );
  },
};

export const nodeLibraries = [jose, jsonwebtoken, fastJwt, expressJwt, passportJwt];
