import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LightMyRequestResponse } from 'fastify';
import t, { type Test } from 'tap';
import { newMasterSecret, newSigningKey } from '../../src/parts/keys/new-keys.ts';
import { openDatabase } from '../../src/parts/storage/database.ts';
import { migrate } from '../../src/parts/storage/migrations.ts';
import { OwnClaims, type OwnKind } from '../../src/schemas/claims.ts';
import { type PrivateJwk, SigningAlgorithm } from '../../src/schemas/jwk.ts';
import { signedIn } from '../people.ts';
import { keySet, TestClock, testApp } from '../test-app.ts';
import { Forger } from './forger.ts';
import { forgeries, type Trait, type World } from './forgeries.ts';

const clock = new TestClock();
const now = clock.now / 1_000;
const master = newMasterSecret(0);
/** One key of each algorithm: the service accepts them all, and signs with one. */
const honoured = SigningAlgorithm.options.map((alg) => newSigningKey(alg, 0));

/** A local server, and the requests that reached it. */
async function listener(t: Test) {
  const visits: string[] = [];
  const server = createServer((request, response) => {
    visits.push(String(request.url));
    response.end('{"keys":[]}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, visits };
}

/** Counts the connections that this process opens. */
function connections(t: Test): () => number {
  let count = 0;
  const opened = () => {
    count += 1;
  };
  const channels = ['net.client.socket', 'http.client.request.start', 'undici:request:create'];
  for (const channel of channels) subscribe(channel, opened);
  t.teardown(() => {
    for (const channel of channels) unsubscribe(channel, opened);
  });
  return () => count;
}

/** A valid token of each kind except the access token. */
function ownTokens(app: Awaited<ReturnType<typeof service>>['app'], sub: string) {
  const claims = {
    ...{ sub, sid: 'session', gen: 0, ver: 0, dev: 'device', jti: 'unique', was: 'before' },
    ...{ email: 'ada@example.com', transport: 'body', iat: now, exp: now + 600 },
  };
  return Object.fromEntries(
    Object.entries(OwnClaims).map(([kind, schema]) => {
      const names = Object.keys(schema.shape);
      const own = Object.entries(claims).filter(([name]) => names.includes(name));
      const token = app.context.ownTokens.issue(kind as OwnKind, Object.fromEntries(own) as never);
      return [kind, token];
    }),
  );
}

async function service(t: Test, alg: SigningAlgorithm) {
  const database = openDatabase({ url: 'file::memory:', pool: 1 });
  t.teardown(() => database.destroy());
  await migrate(database);
  const keys = honoured.map((key) => ({ ...key, ...(key.alg === alg && { nbf: 1 }) }));
  const env = {
    SIGNING_KEYS: keySet(...keys, master),
    ISSUER: 'https://auth.example.com',
    AUDIENCE: 'https://api.example.com',
  };
  const app = await testApp(t, { env, database, clock });
  return {
    app,
    /** Every column of every row. */
    rows: () => database.selectFrom('users').selectAll().orderBy('id').execute(),
    jwk: keys.find((key) => key.alg === alg) as PrivateJwk,
    others: keys.filter((key) => key.alg !== alg),
  };
}

/** An answer without the ID of the request, and without the length, which depends on it. */
const bytesOf = ({ statusCode, headers, payload }: LightMyRequestResponse) =>
  JSON.stringify({
    statusCode,
    headers: { ...headers, date: '', 'content-length': '' },
    payload: payload.replace(/"instance":"[\w-]{10,16}"/, '"instance":""'),
  });

/** The title of each group of forgeries. */
const TRAITS: Record<Trait, string> = {
  algorithm: 'TOK-02 the header names another algorithm, or the key is used with another',
  key: 'TOK-01 TOK-03 TOK-04 TOK-05 TOK-17 another key signs, or the header contains one, or the signature is out of range',
  header: 'TOK-04 TOK-06 TOK-07 a header member is missing, unknown or wrong',
  form: 'TOK-14 TOK-16 the same bytes in another encoding, or too many bytes',
  claim:
    'TOK-08 TOK-09 TOK-11 TOK-12 TOK-13 TOK-15 a claim is missing, unknown, malformed or for another service',
  kind: 'TOK-07 KEY-08 a token of another kind, or with its claims, header or signature',
};

let count = 0;

for (const alg of SigningAlgorithm.options) {
  t.test(
    `TOK-23 BEA-03 BEA-07 with ${alg} all forgeries get the same answer, and change nothing`,
    async (t) => {
      const { app, rows, jwk, others } = await service(t, alg);
      const ada = await signedIn(app, 'ada@example.com', { roles: ['editor'] });
      const outside = await listener(t);
      const opened = connections(t);
      const forger = new Forger(ada.access_token, jwk);
      const world: World = {
        forger,
        others,
        master,
        stranger: newSigningKey(alg, 0),
        published: JSON.stringify(app.context.keys.publicKeys(clock.now)),
        own: { ...ownTokens(app, ada.id), 'real refresh': ada.refresh_token },
        second: forger.withClaims({ jti: 'second' }),
        listener: outside.url,
        now,
      };
      const whoami = { method: 'GET', url: '/v1/whoami' } as const;
      for (const control of [forger.make(), world.second, ada.access_token])
        t.equal(
          (await app.as(control, whoami)).statusCode,
          200,
          'the forger can make valid tokens',
        );

      // A forgery that got in would end sessions. All go to a route with the bearer guard, every fourth also to the one route without it.
      const routes = [
        [1, { method: 'DELETE', url: '/v1/me/sessions' }],
        [4, { method: 'POST', url: '/v1/logout' }],
      ] as const;
      const before = await rows();
      for (const [trait, title] of Object.entries(TRAITS) as [Trait, string][]) {
        await t.test(title, async (t) => {
          const forged = forgeries(trait, world);
          count += forged.length;
          for (const [every, route] of routes) {
            const expected = bytesOf(await app.as('x.y.z', route));
            t.match(expected, /^\{"statusCode":401,.*"code\\":\\"token_invalid/);
            const odd: string[] = [];
            for (const [name, token] of forged.filter((_, index) => index % every === 0)) {
              const headers = { authorization: `Bearer ${token}` };
              if (bytesOf(await app.app.inject({ ...route, headers })) !== expected) odd.push(name);
            }
            t.same(odd, [], `the same answer from ${route.url}`);
          }
          t.same(await rows(), before, 'no row changed');
        });
      }
      t.same(outside.visits, [], 'no key was fetched');
      t.equal(opened(), 0, 'no connection was opened');
      t.notOk(
        app.logs.some(({ level }) => Number(level) >= 50),
        'nothing was a fault',
      );
      const ended = await app.as(forger.make(), routes[0][1]);
      t.equal(ended.statusCode, 204, 'the owner can do what the forgeries could not');
      t.notSame(await rows(), before);
    },
  );
}

t.test('there were thousands of forgeries', async (t) => {
  t.comment(`${count} forgeries`);
  t.ok(count > 2_500, `${count} forgeries`);
});
