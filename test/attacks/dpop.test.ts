import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { exportJWK } from 'jose';
import t from 'tap';
import { athOf, clientKey, proofOf, prover } from '../dpop.ts';
import { passwordHash, signedIn } from '../people.ts';
import { refused } from '../refused.ts';
import { PASSWORD, type Tokens, testApp } from '../test-app.ts';
import { encode } from './forger.ts';

const ISSUER = 'https://auth.example.com';
const app = await testApp(t, { env: { ISSUER, TRUST_PROXY: '127.0.0.1' } });
const key = await clientKey();
const mine = prover(app, key);
await signedIn(app, 'ada@example.com', { password_hash: passwordHash(app) });
const ada = (
  await mine.post('/v1/login', { email: 'ada@example.com', password: PASSWORD })
).json<Tokens>();
const token = ada.access_token;
const me = { url: '/v1/me' } as const;
const now = Math.floor(app.clock.now / 1_000);

/** A request with this proof and the stolen token. */
const withProof = (dpop: string | undefined, headers: Record<string, string> = {}) =>
  app.inject({
    ...me,
    headers: { authorization: `DPoP ${token}`, ...(dpop !== undefined && { dpop }), ...headers },
  });

/** What a proof has, for the wrong ones. */
const header = { typ: 'dpop+jwt', alg: key.alg, jwk: key.jwk };
let count = 0;
const claims = (changes: object = {}) => {
  count += 1;
  return {
    ...{ jti: `forged ${count}`, htm: 'GET', htu: `${ISSUER}/v1/me`, iat: now, ath: athOf(token) },
    ...changes,
  };
};
const jws = async (head: object | string, body: object | string) => {
  const input = `${encode(head as never)}.${encode(body as never)}`;
  const data = new TextEncoder().encode(input);
  const made = await crypto.subtle.sign(
    { name: 'ECDSA', hash: 'SHA-256' },
    key.privateKey as never,
    data,
  );
  return `${input}.${Buffer.from(made).toString('base64url')}`;
};

t.test('the forger can make valid proofs, also in the spelling of another library', async (t) => {
  t.equal((await withProof(await jws(header, claims()))).statusCode, 200);
  const spaced = JSON.stringify(claims(), null, 2);
  t.equal((await withProof(await jws(JSON.stringify(header, null, 1), spaced))).statusCode, 200);
  const more = { ...header, jwk: { ...key.jwk, kid: 'x', use: 'sig', ext: true }, kid: 'y' };
  t.equal((await withProof(await jws(more, claims({ more: true })))).statusCode, 200);
  t.equal((await withProof(await jws(header, claims({ exp: now + 1, nbf: now })))).statusCode, 200);
});

t.test('DPO-01 a proof whose header is wrong', async (t) => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { d, ...other } = await exportJWK(privateKey);
  const big = generateKeyPairSync('rsa', { modulusLength: 1_024 });
  const rsa = await exportJWK(big.publicKey);
  const { x = '', y = '' } = key.jwk;
  const octet = { kty: 'oct', k: Buffer.alloc(32).toString('base64url') };
  const jwks: Record<string, object> = {
    'a private key': { ...key.jwk, d },
    'an empty private member': { ...key.jwk, d: '' },
    'another member of a private key': { ...key.jwk, dq: 'x' },
    'a symmetric key beside it': { ...key.jwk, k: 'x' },
    'a symmetric key': octet,
    'another key': other,
    'no key': {},
    'another type': { ...key.jwk, kty: 'OKP' },
    'another curve': { ...key.jwk, crv: 'P-384' },
    'no curve': { kty: 'EC', x, y },
    'a point that is not on the curve': { ...key.jwk, y: x },
    'a point with padding': { ...key.jwk, x: `${x}=` },
    'a point with a leading zero': {
      ...key.jwk,
      x: Buffer.concat([Buffer.alloc(1), Buffer.from(x, 'base64url')]).toString('base64url'),
    },
    'a number': { ...key.jwk, x: 1 },
    'half a point': { kty: 'EC', crv: 'P-256', x },
  };
  const headers: Record<string, object> = {
    ...Object.fromEntries(Object.entries(jwks).map(([name, jwk]) => [name, { ...header, jwk }])),
    'no jwk': { typ: 'dpop+jwt', alg: 'ES256' },
    'a jwk as text': { ...header, jwk: JSON.stringify(key.jwk) },
    'no typ': { alg: 'ES256', jwk: key.jwk },
    'typ JWT': { ...header, typ: 'JWT' },
    'typ at+jwt': { ...header, typ: 'at+jwt' },
    'typ in capitals': { ...header, typ: 'DPoP+JWT' },
    'no alg': { typ: 'dpop+jwt', jwk: key.jwk },
    'a small RSA key': { ...header, alg: 'RS256', jwk: rsa },
    'an RSA key with a long exponent': {
      ...header,
      alg: 'RS256',
      jwk: { kty: 'RSA', n: 'x'.repeat(342), e: 'x'.repeat(342) },
    },
    'an RSA key that is none': {
      ...header,
      alg: 'PS256',
      jwk: { kty: 'RSA', n: '_'.repeat(342), e: 'AQAB' },
    },
    crit: { ...header, crit: ['b64'], b64: false },
    ...Object.fromEntries(
      ['none', 'HS256', 'ES384', 'ES512', 'ES256K', 'RS1', 'EdDSA', 'RS256', 'es256', '', null].map(
        (alg) => [`alg ${alg}`, { ...header, alg }],
      ),
    ),
  };
  for (const [name, head] of Object.entries(headers)) {
    const answer = await withProof(await jws(head, claims()));
    t.equal(answer.statusCode, 401, name);
    t.equal(answer.json().code, 'invalid_dpop_proof', name);
  }
});

t.test('DPO-01 a symmetric signature, no signature, and other forms', async (t) => {
  const unsigned = `${encode({ ...header, alg: 'none' })}.${encode(claims())}`;
  const secret = Buffer.alloc(32);
  const jwk = { kty: 'oct', k: secret.toString('base64url') };
  const symmetric = `${encode({ typ: 'dpop+jwt', alg: 'HS256', jwk })}.${encode(claims())}`;
  const hmac = createHmac('sha256', secret).update(symmetric).digest('base64url');
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const der = `${encode({ ...header, jwk: await exportJWK(pair.publicKey) })}.${encode(claims())}`;
  const signature = sign('sha256', Buffer.from(der), pair.privateKey).toString('base64url');
  const good = await jws(header, claims());
  const forms: Record<string, string> = {
    'alg none': `${unsigned}.`,
    'alg none, two segments': unsigned,
    'a symmetric key that it brings along': `${symmetric}.${hmac}`,
    'a signature in DER': `${der}.${signature}`,
    'an empty text': '',
    'one segment': 'x',
    'four segments': `${good}.x`,
    'an access token': token,
    'a refresh token': ada.refresh_token,
    'two proofs, joined by a comma': `${good}, ${await jws(header, claims())}`,
    padding: `${good}=`,
    'white space': `${good.slice(0, 30)} ${good.slice(30)}`,
    'a header that is not JSON': await jws('x', claims()),
    'claims that are not JSON': await jws(header, 'x'),
    'claims that are a list': await jws(header, '[]'),
    'claims that are not UTF-8': await jws(header, '{"jti":"\ufffd'),
    'too long': await jws(header, claims({ more: 'x'.repeat(4_096) })),
  };
  for (const [name, proof] of Object.entries(forms)) {
    const answer = await withProof(proof);
    t.equal(answer.statusCode, 401, name);
    t.equal(answer.json().code, 'invalid_dpop_proof', name);
  }
  refused(t, await withProof(undefined), 401, 'invalid_dpop_proof');
  t.equal((await withProof(good)).statusCode, 200, 'none of them used it up');
});

t.test('DPO-02 DPO-03 a proof whose claims are wrong', async (t) => {
  const wrong: Record<string, object> = {
    'another method': { htm: 'POST' },
    'the method in small letters': { htm: 'get' },
    'no method': { htm: undefined },
    'another host': { htu: 'https://evil.example/v1/me' },
    'the host of the proxy': { htu: 'https://10.0.0.7/v1/me' },
    'plain http': { htu: 'http://auth.example.com/v1/me' },
    'another port': { htu: 'https://auth.example.com:8443/v1/me' },
    'another path': { htu: `${ISSUER}/v1/me/sessions` },
    'the path alone': { htu: '/v1/me' },
    'a user in it': { htu: 'https://auth.example.com@evil.example/v1/me' },
    'no URL': { htu: undefined },
    'another access token': { ath: athOf('x') },
    'the hash in hex': { ath: Buffer.from(athOf(token), 'base64url').toString('hex') },
    'no hash': { ath: undefined },
    'no jti': { jti: undefined },
    'an empty jti': { jti: '' },
    'a jti that is a number': { jti: 1 },
    'a long jti': { jti: 'x'.repeat(257) },
    'no iat': { iat: undefined },
    'iat as text': { iat: String(now) },
    expired: { exp: now - 5 },
    'not valid yet': { nbf: now + 6 },
  };
  for (const [name, changes] of Object.entries(wrong)) {
    const answer = await withProof(await jws(header, claims(changes)));
    t.equal(answer.statusCode, 401, name);
    t.equal(answer.json().code, 'invalid_dpop_proof', name);
  }
  for (const changes of [
    { iat: now - 61 },
    { iat: now + 6 },
    { nonce: 'x' },
    { nonce: 'A'.repeat(30) },
    { nonce: '' },
  ])
    refused(t, await withProof(await jws(header, claims(changes))), 401, 'use_dpop_nonce');
});

t.test(
  'DPO-02 the URL is that of ISSUER, whatever host the request or a proxy names',
  async (t) => {
    for (const host of ['evil.example', '10.0.0.7:3000']) {
      const proof = await jws(header, claims({ htu: `https://${host}/v1/me` }));
      const named = {
        'x-forwarded-for': '203.0.113.1',
        'x-forwarded-proto': 'https',
        'x-forwarded-host': host,
        forwarded: `host=${host};proto=https`,
        host,
      };
      refused(t, await withProof(proof, named), 401, 'invalid_dpop_proof');
      t.equal((await withProof(await jws(header, claims()), named)).statusCode, 200);
    }
  },
);

t.test('DPO-03 the proof of another key', async (t) => {
  const thief = prover(app, await clientKey());
  refused(t, await thief.call(token, me), 401, 'invalid_dpop_proof');
  t.comment('and with the token of a session of their own');
  await signedIn(app, 'eve@example.com', { password_hash: passwordHash(app) });
  const eve = await thief.post('/v1/login', { email: 'eve@example.com', password: PASSWORD });
  const own = eve.json<Tokens>().access_token;
  refused(t, await thief.call(token, me, { token: own }), 401, 'invalid_dpop_proof');
  refused(t, await mine.call(own, me), 401, 'invalid_dpop_proof');
  t.equal((await thief.call(own, me)).statusCode, 200);
});

t.test('DPO-04 a bound token as a bearer token, in every spelling', async (t) => {
  for (const authorization of [`Bearer ${token}`, `bearer ${token}`]) {
    const proof = await jws(header, claims());
    const answer = await app.inject({ ...me, headers: { authorization, dpop: proof } });
    refused(t, answer, 401, 'token_bound');
    t.match(answer.headers['www-authenticate'], /^DPoP .*error="invalid_token".*algs="ES256/);
  }
  const both = await app.inject({ ...me, headers: { authorization: `DPoP Bearer ${token}` } });
  refused(t, both, 401, 'token_invalid');
});

t.test('DPO-02 a proof counts once, also if it is sent twenty times at once', async (t) => {
  const proof = await jws(header, claims());
  const answers = await Promise.all(Array.from({ length: 20 }, () => withProof(proof)));
  t.equal(answers.filter(({ statusCode }) => statusCode === 200).length, 1);
  for (const answer of answers.filter(({ statusCode }) => statusCode !== 200))
    t.equal(answer.json().code, 'invalid_dpop_proof');
  app.clock.advance(59_000);
  refused(t, await withProof(proof), 401, 'invalid_dpop_proof');
  app.clock.advance(2_000);
  refused(t, await withProof(proof), 401, 'use_dpop_nonce');
  app.clock.advance(-61_000);
});

t.test('DPO-02 the same jti in another proof of the key counts no more', async (t) => {
  const jti = 'the same';
  t.equal((await withProof(await jws(header, claims({ jti })))).statusCode, 200);
  refused(
    t,
    await withProof(await jws(header, claims({ jti, iat: now - 1 }))),
    401,
    'invalid_dpop_proof',
  );
  const other = await clientKey();
  const proof = await proofOf(other, app.clock.now, {
    method: 'POST',
    htu: `${ISSUER}/v1/login`,
    claims: { jti },
  });
  const answer = await app.post(
    '/v1/login',
    { email: 'x@example.com', password: PASSWORD },
    {
      dpop: proof,
    },
  );
  refused(t, answer, 401, 'invalid_credentials');
});

t.test('DPO-02 a replay after its nonce was accepted', async (t) => {
  const first = await withProof(await jws(header, claims({ iat: 0 })));
  const nonce = String(first.headers['dpop-nonce']);
  const proof = await jws(header, claims({ iat: 0, nonce }));
  t.equal((await withProof(proof)).statusCode, 200);
  refused(t, await withProof(proof), 401, 'invalid_dpop_proof');
});

t.test('DPO-01 the proofs of other kinds of keys are checked as well', async (t) => {
  for (const [alg, options] of [
    ['Ed25519', {}],
    ['EdDSA', {}],
    ['RS256', { modulusLength: 2_048 }],
    ['PS256', { modulusLength: 4_096 }],
  ] as const) {
    const other = await clientKey(alg, options);
    const { post, call, proof } = prover(app, other);
    const answer = await post('/v1/login', { email: 'ada@example.com', password: PASSWORD });
    t.equal(answer.json().token_type, 'DPoP', alg);
    const { access_token } = answer.json<Tokens>();
    t.equal((await call(access_token, me)).statusCode, 200);
    const good = await proof('GET', '/v1/me', { token: access_token });
    const [head, , signature] = good.split('.');
    const forged = `${head}.${encode(claims({ ath: athOf(access_token) }))}.${signature}`;
    const headers = { authorization: `DPoP ${access_token}`, dpop: forged };
    refused(t, await app.inject({ ...me, headers }), 401, 'invalid_dpop_proof');
  }
});
