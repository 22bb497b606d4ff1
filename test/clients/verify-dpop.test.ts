import { generateKeyPairSync } from 'node:crypto';
import { exportJWK } from 'jose';
import t from 'tap';
import type { Claims, HeadersLike } from '../../src/clients/verify.d.ts';
import { type ClientKey, clientKey, proofOf, prover } from '../dpop.ts';
import { passwordHash, signedIn } from '../people.ts';
import { PASSWORD, type TestApp, type Tokens } from '../test-app.ts';
import { guarded } from './guarded.ts';

/** An address of another service, as its clients see it. */
const url = 'https://api.example.com/orders?page=2';
const htu = 'https://api.example.com/orders';

let count = 0;

async function boundToken(node: TestApp, key: ClientKey): Promise<string> {
  count += 1;
  const email = `bob${count}@example.com`;
  await signedIn(node, email, { password_hash: passwordHash(node) });
  const credentials = { email, password: PASSWORD };
  const answer = await prover(node, key).post('/v1/login', credentials);
  return answer.json<Tokens>().access_token;
}

/** The claims, or why there are none. */
const said = (answer: Promise<Claims>): Promise<string | undefined> =>
  answer.then(
    () => 'ok',
    ({ code, reason }) => `${code}: ${reason}`,
  );

t.test('a bound token is no bearer token, and counts with its proof alone', async (t) => {
  const { verifier, node, ada } = await guarded(t);
  const guard = verifier();
  for (const alg of ['ES256', 'Ed25519', 'EdDSA', 'RS256', 'PS256']) {
    const key = await clientKey(alg);
    const token = await boundToken(node, key);
    t.equal(await said(guard.verify(token)), 'token_invalid: cnf');
    const asBearer = guard.bearer({ authorization: `Bearer ${token}` });
    t.equal(await said(asBearer), 'token_invalid: cnf');
    const proof = () => proofOf(key, Date.now(), { method: 'POST', htu, token });
    const proven = { proof: await proof(), method: 'POST', url };
    t.match(await guard.verify(token, proven), { cnf: { jkt: key.jkt } }, alg);
    t.equal(await said(guard.verify(token, proven)), 'invalid_dpop_proof: jti');
    t.equal(await said(guard.verify(token, { ...proven, proof: await proof() })), 'ok');
  }
  const key = await clientKey();
  const proof = await proofOf(key, Date.now(), { htu, token: ada.access_token });
  const unbound = guard.verify(ada.access_token, { proof, method: 'GET', url });
  t.equal(await said(unbound), 'token_invalid: cnf');
});

t.test('a request says which scheme it uses', async (t) => {
  const { verifier, node, ada } = await guarded(t);
  const guard = verifier();
  const key = await clientKey();
  const token = await boundToken(node, key);
  const proof = () => proofOf(key, Date.now(), { htu, token });
  const request = (headers: HeadersLike) => guard.request({ method: 'GET', url, headers });
  t.match(await request({ authorization: `Bearer ${ada.access_token}` }), { sub: ada.id });
  t.match(await request({ authorization: `DPoP ${token}`, dpop: await proof() }), {
    cnf: { jkt: key.jkt },
  });
  const headers = new Headers({ authorization: `dpop  ${token} `, dpop: await proof() });
  t.match(await guard.request(new Request(url, { headers })), { cnf: { jkt: key.jkt } });

  const refused = async (sent: HeadersLike) => {
    const error = await request(sent).catch((reason) => reason);
    return [error.code, error.status, error.headers['WWW-Authenticate']];
  };
  t.same(await refused({}), ['token_missing', 401, 'Bearer realm="access"']);
  t.match(await refused({ authorization: `Bearer ${token}`, dpop: await proof() }), [
    'token_invalid',
    401,
    /^Bearer .*error="invalid_token"/,
  ]);
  for (const dpop of [undefined, '', 'x', `${await proof()}, ${await proof()}`])
    t.same(await refused({ authorization: `DPoP ${token}`, dpop }), [
      'invalid_dpop_proof',
      401,
      'DPoP realm="access", error="invalid_dpop_proof", error_description="The proof is not valid."',
    ]);
  t.match(await refused({ authorization: 'DPoP', dpop: await proof() }), ['token_invalid', 401]);
});

t.test('every wrong proof is refused, and says why to the log', async (t) => {
  const { verifier, node } = await guarded(t);
  const guard = verifier();
  const key = await clientKey();
  const token = await boundToken(node, key);
  const now = Math.floor(Date.now() / 1_000);
  const other = await clientKey();
  const { d } = await exportJWK(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
  const check = async (changes: object, by = key) =>
    said(
      guard.verify(token, {
        proof: await proofOf(by, Date.now(), { htu, token, ...changes }),
        method: 'GET',
        url,
      }),
    );
  t.equal(await check({}), 'ok');
  for (const [reason, changes] of [
    ['htm', { method: 'POST' }],
    ['htu', { htu: 'https://evil.example/orders' }],
    ['htu', { htu: 'http://api.example.com/orders' }],
    ['TypeError: Invalid URL', { htu: '/orders' }],
    ['ath', { token: 'x' }],
    ['not base64url', { claims: { ath: undefined } }],
    ['iat', { claims: { iat: now - 62 } }],
    ['iat', { claims: { iat: now + 8 } }],
    ['iat', { claims: { iat: 'x' } }],
    ['typ', { header: { typ: 'JWT' } }],
    ['jwk', { header: { jwk: { ...key.jwk, d } } }],
    ['jwk', { header: { jwk: { ...key.jwk, k: 'x' } } }],
    ['jwk', { header: { jwk: { ...key.jwk, e: 'AQAC' } } }],
    ['signature', { header: { jwk: other.jwk } }],
    ['signature', { header: { jwk: { ...key.jwk, y: 'x' } } }],
  ] as const)
    t.equal(await check(changes), `invalid_dpop_proof: ${reason}`, JSON.stringify(changes));
  t.equal(await check({}, other), 'invalid_dpop_proof: cnf');
  t.match(await check({ header: { jwk: undefined } }), /^invalid_dpop_proof/);
  t.match(await check({ header: { jwk: 'x' } }), /^invalid_dpop_proof/);
});

t.test('a proof counts once, also if it comes twenty times at once', async (t) => {
  const { verifier, node, pass } = await guarded(t);
  const guard = verifier();
  const key = await clientKey();
  const token = await boundToken(node, key);
  const proof = await proofOf(key, Date.now(), { htu, token });
  const proven = { proof, method: 'GET', url };
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => said(guard.verify(token, proven))),
  );
  t.equal(answers.filter((answer) => answer === 'ok').length, 1);
  await pass(70_000);
  t.equal(await said(guard.verify(token, proven)), 'invalid_dpop_proof: iat');
  const next = { ...proven, proof: await proofOf(key, Date.now(), { htu, token }) };
  t.equal(await said(guard.verify(token, next)), 'ok', 'and those that are too old are forgotten');
});
