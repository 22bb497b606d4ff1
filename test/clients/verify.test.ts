import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import type { Options } from '../../src/clients/verify.d.ts';
import { createVerifier, TokenError } from '../../src/clients/verify.js';
import { newSigningKey } from '../../src/parts/keys/new-keys.ts';
import { Forger, type Json } from '../attacks/forger.ts';
import { signedIn } from '../people.ts';
import EdDSA from '../vectors/EdDSA.json' with { type: 'json' };
import ES256 from '../vectors/ES256.json' with { type: 'json' };
import PS256 from '../vectors/PS256.json' with { type: 'json' };
import RS256 from '../vectors/RS256.json' with { type: 'json' };
import type { VectorSet } from '../vectors/vectors.ts';
import { asKeys, type Guarded, guarded, KEYS } from './guarded.ts';

/** Bytes. */
const MOST = 6_144;
const issuer = 'https://id.example.com';

t.test('the verifier is one small file without imports', async (t) => {
  const text = readFileSync('src/clients/verify.js', 'utf8');
  const size = gzipSync(text, { level: 9 }).length;
  t.ok(size <= MOST, `${size} bytes compressed`);
  t.notMatch(text, /\bimport\b|\bprocess\b|\bBuffer\b/);
});

t.test('the verifier gives every vector the verdict that is due', async (t) => {
  for (const set of [ES256, RS256, PS256, EdDSA] as VectorSet[]) {
    t.intercept(Date, 'now', { value: () => set.now * 1_000, configurable: true });
    const headers = { 'Content-Type': 'application/jwk-set+json' };
    const verifier = createVerifier({
      issuer: set.issuer,
      audience: set.audience,
      algorithms: [set.alg],
      revocations: false,
      fetch: async () => new Response(JSON.stringify(set.jwks), { headers }),
    });
    for (const { id, verdict, why, token } of set.tokens) {
      const said = await verifier.verify(token).then(
        () => 'accept',
        ({ code }) => (/^token_(invalid|expired)$/.test(code) ? 'refuse' : code),
      );
      t.equal(said, verdict, `${set.alg} ${id}: ${why}`);
    }
  }
});

t.test('options that it cannot use are refused at once', async (t) => {
  const wrong: Partial<Options>[] = [
    { issuer: 'id.example.com' },
    { issuer: `${issuer}/` },
    { algorithms: ['HS256' as never] },
    { algorithms: ['toString' as never] },
    { revocations: { bound: 9, whenAway: 'open' } },
    { revocations: { bound: Number.NaN, whenAway: 'open' } },
    { revocations: { bound: 60, whenAway: 'ajar' as never } },
  ];
  for (const options of wrong)
    t.throws(() => createVerifier({ issuer, ...options }), TypeError, JSON.stringify(options));
});

t.test(
  'the token comes from Authorization alone, and each refusal says what to answer',
  async (t) => {
    const { verifier, ada, network, forger } = await guarded(t);
    const guard = verifier();
    const authorization = `Bearer ${ada.access_token}`;
    const url = `${network.origin}/?access_token=${ada.access_token}`;
    for (const from of [
      new Request(url, { headers: { authorization } }),
      new Headers({ authorization }),
      { authorization: `bearer ${ada.access_token}`, get: 'a header of this name' },
      { headers: { authorization } },
    ])
      t.match(await guard.bearer(from as { authorization: string }), { sub: ada.id, roles: [] });

    const refused = async (value: string | undefined) => {
      const headers = value === undefined ? {} : { authorization: value };
      const error = await guard.bearer(new Request(url, { headers })).catch((error) => error);
      t.ok(error instanceof TokenError);
      const answer = error.response() as Response;
      t.equal(answer.status, error.status);
      t.match(await answer.json(), { code: error.code, status: error.status });
      t.equal(answer.headers.get('cache-control'), 'no-store');
      return [error.code, error.status, answer.headers.get('www-authenticate')];
    };
    const bearer = 'Bearer realm="access"';
    const invalid = `${bearer}, error="invalid_token", error_description="The access token`;
    for (const value of [undefined, '', `Basic ${ada.access_token}`])
      t.same(await refused(value), ['token_missing', 401, bearer], `${value}`);
    for (const value of ['Bearer', 'Bearer a b', 'Bearer a', 'Bearer a.b.c', `${authorization}, a`])
      t.match((await refused(value))[0], /token_(invalid|missing)/, value);
    t.same(await refused('Bearer'), ['token_invalid', 401, `${invalid} is not valid."`]);
    const now = Math.floor(Date.now() / 1_000);
    const expired = forger.withClaims({ iat: now - 900, exp: now });
    t.same(await refused(`Bearer ${expired}`), ['token_expired', 401, `${invalid} has expired."`]);
  },
);

/** What `verify` says of a token whose claims or header are changed. */
const changed = ({ forger, said }: Guarded, verifier: ReturnType<Guarded['verifier']>) => ({
  claims: (changes: Json) => said(verifier, forger.withClaims(changes)),
  header: (changes: Json) => said(verifier, forger.withHeader(changes)),
});

t.test('a token of the issuer must be an access token for this audience, now', async (t) => {
  const all = await guarded(t);
  const { verifier, forger, said } = all;
  const { claims, header } = changed(all, verifier({ revocations: false }));
  const { iat, exp } = forger.claims as { iat: number; exp: number };
  for (const name of Object.keys(forger.claims)) {
    t.equal(await claims({ [name]: undefined }), 'token_invalid', `no ${name}`);
    t.equal(await claims({ [name]: name === 'roles' ? [1] : {} }), 'token_invalid', name);
  }
  const bad: Json[] = [
    { aud: ['https://other.example.com'] },
    { ver: -1 },
    { ver: 0.5 },
    { iat: iat + 30, exp: exp + 30 },
    { nbf: iat + 30 },
    { nbf: 'now' },
    { exp: exp + 1 },
    { iat: iat - 901, exp },
  ];
  for (const changes of bad)
    t.equal(await claims(changes), 'token_invalid', JSON.stringify(changes));
  t.equal(await claims({ iat: iat - 900, exp: iat }), 'token_expired');
  t.equal(await claims({ iat: iat - 900, exp: iat, aud: 'other' }), 'token_invalid');
  for (const changes of [
    { iat: iat + 3, exp: exp + 3, nbf: iat + 3 },
    { aud: ['other', all.network.origin] },
    { more: true },
  ])
    t.equal(await claims(changes), 'ok', JSON.stringify(changes));
  for (const changes of [{ crit: ['b64'] }, { b64: true }, { zip: 'DEF' }, { typ: 1 }, { kid: 1 }])
    t.equal(await header(changes), 'token_invalid', JSON.stringify(changes));
  t.equal(await header({ typ: 'application/at+JWT' }), 'ok');

  const guard = verifier();
  const other = verifier({ audience: 'https://api.example.com' });
  t.equal(await said(other), 'token_invalid');
  for (const text of [null, {}, '', 'a.b', 'a.b.c.d', `${'a'.repeat(4_097)}.b.c`, 'W10.W10.W10'])
    t.equal(await said(guard, text as never), 'token_invalid', `${text}`);
  const lasting = await guard.verify(all.ada.access_token);
  t.same(lasting, forger.claims);
});

t.test('a token for one resource is refused by the others, and by the service', async (t) => {
  const [a, b] = ['https://a.example.com', 'https://b.example.com'];
  const { node, verifier, said, network } = await guarded(t, { AUDIENCES: `${a},${b}` });
  const eve = await signedIn(node, 'eve@example.com', { claims: { plan: 'pro' } });
  const body = { refresh_token: eve.refresh_token, resource: a };
  const { access_token } = (await node.post('/v1/refresh', body)).json();
  const forA = verifier({ audience: a, revocations: false });
  t.match(await forA.verify(access_token), { aud: a, sub: eve.id, plan: 'pro' });
  for (const audience of [b, network.origin, 'https://c.example.com'])
    t.equal(await said(verifier({ audience, revocations: false }), access_token), 'token_invalid');
  t.equal(
    await said(forA, eve.access_token),
    'token_invalid',
    'a token for the service is not for A',
  );
  t.equal((await node.as(access_token, { url: '/v1/me' })).statusCode, 401);
  const revoking = verifier({ audience: a });
  t.equal(await said(revoking, access_token), 'ok');
});

t.test('a key in the token is never honoured, and an address in it never asked', async (t) => {
  const all = await guarded(t);
  const { verifier, forger, said, network } = all;
  const guard = verifier({ revocations: false });
  const own = newSigningKey('ES256', 0);
  const thief = new Forger(forger.token, own);
  const { d: _private, ...jwk } = own as unknown as Json;
  const hooks = await guarded(t);
  const jku = `${hooks.network.origin}${KEYS}`;
  for (const header of [{ jwk }, { jku }, { x5u: jku }, { x5c: ['MA'] }])
    t.equal(await said(guard, thief.withHeader(header)), 'token_invalid', JSON.stringify(header));
  t.same(hooks.network.requests, []);
  t.same(network.requests, [`GET ${KEYS}`]);
});

t.test('a key is used for its own algorithm alone, and only if it is fit for it', async (t) => {
  const all = await guarded(t);
  const { verifier, said, instead, forger } = all;
  const { kty, crv, x, y, kid } = forger.jwk as unknown as Json;
  const key = { kty, crv, x, y, kid, alg: 'ES256' };
  const rsa = { kty: 'RSA', kid, alg: 'RS256', e: 'AQAB', n: 'A'.repeat(171) };
  const cases: [object[], string][] = [
    [[key], 'ok'],
    [
      [
        { ...key, use: 'sig' },
        { kty: 'oct', k: 'AA', kid: 'a', alg: 'HS256' },
      ],
      'ok',
    ],
    [[{ ...key, use: 'enc' }], 'issuer_away'],
    [[{ ...key, key_ops: ['sign'] }], 'issuer_away'],
    [[{ ...key, crv: 'P-384' }], 'issuer_away'],
    [[{ ...key, kid: 1 }], 'issuer_away'],
    [[{ ...key, alg: 'ES384' }], 'issuer_away'],
    [[rsa], 'issuer_away'],
    [[{ ...newSigningKey('EdDSA', 0), d: undefined, kid }], 'token_invalid'],
    [[], 'issuer_away'],
  ];
  for (const [keys, code] of cases) {
    instead(KEYS, asKeys(keys));
    t.equal(await said(verifier({ revocations: false })), code, JSON.stringify(keys));
  }
  instead(KEYS, asKeys([key]));
  const options: Partial<Options> = { revocations: false, algorithms: ['RS256', 'EdDSA'] };
  t.equal(await said(verifier(options)), 'issuer_away');
});

/** What is at the address of the key set when it is not the key set. */
const notKeys = (t: Test) => [
  { status: 503 },
  { status: 302, headers: { location: 'http://127.0.0.1:1/' } },
  { status: 200, headers: { 'content-type': 'text/html' }, body: '<h1>Sign in to the Wi-Fi</h1>' },
  { status: 200, headers: { 'content-type': 'application/jwk-set+json' }, body: '{"keys":' },
  { status: 200, headers: { 'content-type': 'application/jwk-set+json' }, body: '{}' },
  asKeys([{ padding: 'a'.repeat(70_000) }]),
  asKeys([{ ...newSigningKey('ES256', 0), use: 'enc', name: t.name }]),
  'lost' as const,
];

t.test('the key set is cached, and used for an hour more while the issuer is away', async (t) => {
  for (const away of notKeys(t)) {
    const { verifier, said, asked, instead, pass, forger } = await guarded(t);
    const guard = verifier({ revocations: false });
    const token = () => {
      const now = Math.floor(Date.now() / 1_000);
      return forger.withClaims({ iat: now, exp: now + 900 });
    };
    const name = JSON.stringify(away);
    instead(KEYS, away);
    t.equal(await said(guard, token()), 'issuer_away', name);
    t.equal(await said(guard, token()), 'issuer_away');
    t.equal(asked(KEYS), 1, 'not asked again within a second');
    await pass(1_000);
    instead(KEYS, undefined);
    t.equal(await said(guard, token()), 'ok');
    await pass(299_000);
    t.equal(await said(guard, token()), 'ok');
    t.equal(asked(KEYS), 2, 'cached for max-age');
    instead(KEYS, away);
    await pass(1_000);
    t.equal(await said(guard, token()), 'ok');
    t.equal(asked(KEYS), 3);
    for (let times = 0; times < 20; times += 1) t.equal(await said(guard, token()), 'ok');
    t.equal(asked(KEYS), 3, 'nobody waits for it again');
    t.equal(await said(guard, forger.withHeader({ kid: 'new' })), 'issuer_away');
    await pass(3_599_000);
    t.equal(await said(guard, token()), 'ok', 'an hour');
    await pass(2_000);
    t.equal(await said(guard, token()), 'issuer_away');
    instead(KEYS, undefined);
    await pass(1_000);
    t.equal(await said(guard, token()), 'ok');
  }
});

t.test('what max-age says is kept within 30 seconds and an hour', async (t) => {
  for (const [control, seconds] of [
    ['max-age=0', 30],
    ['public, max-age=60', 60],
    ['max-age=99999999', 3_600],
    ['no-store', 300],
  ] as const) {
    const { verifier, said, asked, instead, pass, forger } = await guarded(t);
    const { d: _private, ...jwk } = forger.jwk as unknown as Json;
    instead(KEYS, asKeys([{ ...jwk, alg: 'ES256' }], control));
    const guard = verifier({ revocations: false });
    await said(guard);
    await pass(seconds * 1_000 - 1_000);
    await said(guard);
    t.equal(asked(KEYS), 1, control);
    await pass(1_000);
    await said(guard);
    t.equal(asked(KEYS), 2, control);
  }
});

t.test('a flood of unknown keys is one request in 30 seconds, a new key is found', async (t) => {
  const { verifier, said, asked, pass, forger, instead } = await guarded(t);
  const guard = verifier({ background: true, revocations: false });
  const flood = async () => {
    const tokens = Array.from({ length: 1_000 }, (_, index) =>
      forger.withHeader({ kid: `unknown-${index}` }),
    );
    const codes = await Promise.all(tokens.map((token) => said(guard, token)));
    t.same([...new Set(codes)], ['token_invalid']);
  };
  await flood();
  t.equal(asked(KEYS), 1);
  await pass(20_000);
  await flood();
  t.equal(asked(KEYS), 1);
  await pass(10_000);
  await flood();
  t.equal(asked(KEYS), 2);
  t.equal(await said(guard), 'ok');

  const next = newSigningKey('ES256', 0);
  const { d: _private, ...jwk } = next as unknown as Json;
  instead(KEYS, asKeys([{ ...jwk, alg: 'ES256' }]));
  const header = { ...forger.header, kid: next.kid };
  const token = new Forger(forger.token, next).make({ header });
  t.equal(await said(guard, token), 'token_invalid', 'a moment ago it was not there');
  await pass(30_000);
  t.equal(await said(guard, token), 'ok');
  t.equal(await said(guard), 'token_invalid', 'the key that is gone');
  await pass(30_000);
  instead(KEYS, 'lost');
  t.equal(await said(guard), 'issuer_away', 'nobody can tell');
});
