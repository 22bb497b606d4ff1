import t from 'tap';
import { derive } from '../../../src/parts/keys/derived-keys.ts';
import { KeySetError, readKeySet } from '../../../src/parts/keys/key-set.ts';
import { newMasterSecret, newSigningKey } from '../../../src/parts/keys/new-keys.ts';
import type { PrivateJwk } from '../../../src/schemas/jwk.ts';
import { NOW } from '../../rules/samples.ts';
import { keySet } from '../../test-app.ts';
import { AUDIENCE, ISSUER, ringOf } from '../rings.ts';

const SECONDS = NOW / 1_000;
const signing = newSigningKey('ES256', 0);
const master = newMasterSecret(0);
const kidOf = (header: string) => JSON.parse(Buffer.from(header, 'base64url').toString()).kid;
const claims = { iss: ISSUER, aud: AUDIENCE, sub: 'u', exp: SECONDS + 9, iat: SECONDS, jti: 'j' };
const ownClaims = { ...claims, aud: ISSUER };

t.test('each kind of token has its own header and typ', async (t) => {
  const ring = await ringOf([signing, master]);
  const headers = (['access', 'refresh', 'device'] as const).map((kind) => {
    const { header } = ring.signer(kind, NOW);
    return JSON.parse(Buffer.from(header, 'base64url').toString());
  });
  t.same(headers, [
    { alg: 'ES256', typ: 'at+jwt', kid: signing.kid },
    { alg: 'HS256', typ: 'refresh+jwt', kid: master.kid },
    { alg: 'HS256', typ: 'device+jwt', kid: master.kid },
  ]);
});

t.test(
  'KEY-08 a token of one kind is never accepted as another, even with the header of that kind',
  async (t) => {
    const ring = await ringOf([signing, master]);
    const kinds = ['access', 'refresh', 'device'] as const;
    for (const kind of kinds) {
      const token = ring.signer(kind, NOW).sign(kind === 'access' ? claims : ownClaims);
      const [header = '', ...rest] = token.split('.');
      for (const other of kinds) {
        const verifier = ring.verifier(other, header, NOW);
        t.equal(verifier !== undefined, kind === other);
        if (kind === other) continue;
        const disguised = ring.signer(other, NOW).header;
        t.throws(() =>
          ring.verifier(other, disguised, NOW)?.verify([disguised, ...rest].join('.')),
        );
      }
    }
  },
);

t.test('it verifies what it signed; issuer and audience must match exactly', async (t) => {
  const ring = await ringOf([signing, master]);
  const signer = ring.signer('access', NOW);
  const verifier = ring.verifier('access', signer.header, NOW);
  t.same(verifier?.verify(signer.sign(claims)), claims);
  const strangers = [
    { iss: `${ISSUER}/` },
    { iss: ISSUER.toUpperCase() },
    { iss: [ISSUER] },
    { iss: ['https://evil.example.com', ISSUER] },
    { aud: ISSUER },
    { aud: `${AUDIENCE}x` },
    { aud: '' },
    { aud: [] },
    { aud: { 0: AUDIENCE } },
  ];
  for (const stranger of strangers) {
    t.throws(
      () => verifier?.verify(signer.sign({ ...claims, ...stranger })),
      JSON.stringify(stranger),
    );
  }
  for (const name of ['iss', 'aud', 'sub', 'exp', 'jti']) {
    const rest = Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name));
    t.throws(
      () => verifier?.verify(signer.sign(rest)),
      { message: new RegExp(name) },
      `without ${name}`,
    );
  }
});

t.test(
  'a key is published before it signs, then signs, then only verifies, then is removed',
  async (t) => {
    const next = newSigningKey('ES256', SECONDS + 100);
    const ring = await ringOf([{ ...signing, exp: SECONDS + 200 }, next, master]);
    const at = (second: number) => {
      const now = NOW + second * 1_000;
      const published = ring.publicKeys(now).keys.map(({ kid }) => kid);
      return { signs: ring.signingKey(now)?.kid, published };
    };
    const old = ring.signer('access', NOW);
    t.same(at(0), { signs: signing.kid, published: [signing.kid, next.kid] });
    t.same(at(99), { signs: signing.kid, published: [signing.kid, next.kid] });
    t.same(at(100), { signs: next.kid, published: [signing.kid, next.kid] });
    t.equal(kidOf(ring.signer('access', NOW + 100_000).header), next.kid);
    t.ok(ring.verifier('access', old.header, NOW + 199_999));
    t.same(at(200), { signs: next.kid, published: [next.kid] });
    t.notOk(ring.verifier('access', old.header, NOW + 200_000));
  },
);

t.test('a replaced master secret still verifies; the new one signs', async (t) => {
  const next = newMasterSecret(SECONDS + 100);
  const ring = await ringOf([signing, { ...master, exp: SECONDS + 200 }, next]);
  const old = ring.signer('refresh', NOW);
  t.equal(kidOf(ring.signer('refresh', NOW + 99_999).header), master.kid);
  t.equal(kidOf(ring.signer('refresh', NOW + 100_000).header), next.kid);
  t.ok(ring.verifier('refresh', old.header, NOW + 199_999));
  t.notOk(ring.verifier('refresh', old.header, NOW + 200_000));
});

t.test('nothing is signed after every key has expired', async (t) => {
  const ring = await ringOf([
    { ...signing, exp: SECONDS + 1 },
    { ...master, exp: SECONDS + 1 },
  ]);
  t.throws(() => ring.signer('access', NOW + 1_000), { message: 'every key has expired' });
  t.throws(() => ring.signer('refresh', NOW + 1_000), { message: 'every key has expired' });
  t.equal(ring.signingKey(NOW + 1_000), undefined);
  t.same(ring.publicKeys(NOW + 1_000), { keys: [] });
});

t.test('only public keys are published, each with its kid, alg and use', async (t) => {
  const algorithms = ['ES256', 'RS256', 'PS256', 'EdDSA', 'HS256'] as const;
  const ring = await ringOf([...algorithms.map((alg) => newSigningKey(alg, 0)), master]);
  const { keys } = ring.publicKeys(NOW);
  t.same(
    keys.map(({ alg }) => alg),
    ['ES256', 'RS256', 'PS256', 'EdDSA'],
  );
  for (const key of keys) {
    t.equal(key.use, 'sig');
    t.match(key.kid, /^[\w-]{43}$/);
    t.same(
      Object.keys(key).filter((name) =>
        ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'].includes(name),
      ),
      [],
    );
  }
});

const useless: [string, PrivateJwk[], RegExp][] = [
  ['no signing key', [master], /^no signing key/],
  ['no master secret', [signing], /^no master secret/],
  [
    'a signing key that starts later',
    [newSigningKey('ES256', SECONDS + 1), master],
    /^no signing key/,
  ],
  ['a signing key that has ended', [{ ...signing, exp: SECONDS }, master], /^no signing key/],
  ['a master secret that has ended', [signing, { ...master, exp: SECONDS }], /^no master secret/],
];
for (const [what, keys, message] of useless) {
  t.test(`a key set with ${what} is refused at the start and on reload`, async (t) => {
    await t.rejects(ringOf(keys), { constructor: KeySetError, message });
    const ring = await ringOf([signing, master]);
    const token = ring.signer('access', NOW).sign(claims);
    await t.rejects(ring.replace(readKeySet(keySet(...keys)), NOW), { message });
    t.equal(ring.edition, 1, 'the keys did not change');
    t.same(ring.verifier('access', token.split('.')[0] ?? '', NOW)?.verify(token), claims);
    t.equal(ring.signingKey(NOW)?.kid, signing.kid);
  });
}

t.test('the old keys stay if a new set cannot be built', async (t) => {
  const ring = await ringOf([signing, master]);
  const set = readKeySet(keySet(newSigningKey('ES256', 0), master));
  for (const key of set.signing) key.privateKey = key.publicKey;
  await t.rejects(ring.replace(set, NOW));
  t.equal(ring.edition, 1);
  t.equal(ring.signingKey(NOW)?.kid, signing.kid);
  t.equal(kidOf(ring.signer('access', NOW).header), signing.kid);
});

t.test('a new set replaces the old one as a whole', async (t) => {
  const ring = await ringOf([signing, master]);
  const old = ring.signer('access', NOW).header;
  const next = newSigningKey('EdDSA', 0);
  await ring.replace(readKeySet(keySet(next, newMasterSecret(0))), NOW);
  t.equal(ring.edition, 2);
  t.equal(ring.verifier('access', old, NOW), undefined);
  t.equal(ring.signingKey(NOW)?.kid, next.kid);
  t.same(
    ring.publicKeys(NOW).keys.map(({ kid }) => kid),
    [next.kid],
  );
});

t.test('the same master secret derives the same keys on every node', async (t) => {
  const [one, two] = await Promise.all([ringOf([signing, master]), ringOf([signing, master])]);
  const token = one.signer('refresh', NOW).sign(ownClaims);
  t.same(two.verifier('refresh', token.split('.')[0] ?? '', NOW)?.verify(token), ownClaims);
});

t.test('KEY-08 each purpose has its own key, which no release may change', async (t) => {
  const secret = Buffer.from(Array.from({ length: 32 }, (_, index) => index));
  // HKDF-SHA-256 (RFC 5869) without salt, computed by another implementation.
  for (const [purpose, key] of [
    ['refresh', '9d26e9902ded139d517a43459408ec10181bc40d69606adc2699bf100d93d3a3'],
    ['device', 'c76661b1363e8a26bad7216aa597021f2b117b3f3db40ddd329be84240eab54a'],
    ['sign-up', '5033842f98ed87979ac22e0bfa1df19dbba129e00c9fb59fc08d2c182e081111'],
    ['email', 'b37c5bb6b41f21aa3f2f1555f3a4db4ef7812b0464aeb1a0b8d8139734ff1190'],
    ['reset', 'f6a92b6a0aa69055c8798f272e5e7866819b2ef1c2153cf30459f3c1d58d400f'],
    ['mfa', 'a587e0df7e299dbb070d6aa2a0784c789eab4508833b890e8387ea206c126f2f'],
    ['totp', '4be8e8a3fa374f92549215e0ed7bc39131061f1fcf885665b15794cefceb9240'],
  ] as const)
    t.equal(derive(secret, purpose).toString('hex'), key, purpose);
});

t.test("one of the service's own tokens holds only for the service itself", async (t) => {
  const ring = await ringOf([signing, master]);
  const signer = ring.signer('refresh', NOW);
  const verifier = ring.verifier('refresh', signer.header, NOW);
  t.same(verifier?.verify(signer.sign(ownClaims)), ownClaims);
  for (const stranger of [{ aud: AUDIENCE }, { iss: AUDIENCE }, { aud: [] }, { iss: '' }])
    t.throws(
      () => verifier?.verify(signer.sign({ ...ownClaims, ...stranger })),
      JSON.stringify(stranger),
    );
  for (const name of ['iss', 'aud', 'sub', 'exp']) {
    const rest = Object.fromEntries(Object.entries(ownClaims).filter(([key]) => key !== name));
    t.throws(() => verifier?.verify(signer.sign(rest)), { message: new RegExp(name) }, name);
  }
});

t.test(
  'data sealed with an older master secret opens as long as that secret is in the set',
  async (t) => {
    const next = newMasterSecret(SECONDS + 100);
    const ring = await ringOf([signing, { ...master, exp: SECONDS + 200 }, next]);
    t.equal(ring.masterInUse(NOW).kid, master.kid);
    t.equal(ring.masterInUse(NOW + 100_000).kid, next.kid);
    for (const { kid, k } of [master, next])
      t.equal(ring.masterOf(kid as string)?.secret.toString('base64url'), k);
    t.equal(ring.masterOf('another'), undefined);
    const ending = await ringOf([signing, { ...master, exp: SECONDS + 1 }]);
    t.throws(() => ending.masterInUse(NOW + 1_000), { message: 'every key has expired' });
  },
);

t.test('what hides addresses of users and of clients is derived apart', async (t) => {
  const ring = await ringOf([signing, master]);
  t.equal(ring.clientKey(NOW).length, 32);
  t.notSame(ring.clientKey(NOW), ring.decoyKey(NOW));
});

t.test('what hides addresses is from the oldest master secret that has not ended', async (t) => {
  const next = newMasterSecret(SECONDS - 100);
  const ending = { ...master, exp: SECONDS + 100 };
  const ring = await ringOf([signing, next, ending]);
  const [old, young] = await Promise.all([ringOf([signing, master]), ringOf([signing, next])]);
  for (const key of ['decoyKey', 'clientKey'] as const) {
    t.same(ring[key](NOW + 99_999), old[key](NOW), 'a rotation changes nothing yet');
    t.same(ring[key](NOW + 100_000), young[key](NOW));
  }
  const dropped = { ...master, exp: SECONDS - 60 };
  await ring.replace(readKeySet(keySet(signing, dropped, next)), NOW);
  t.same(ring.decoyKey(NOW), young.decoyKey(NOW), 'one that has leaked is not used');
  const over = await ringOf([signing, { ...master, exp: SECONDS + 1 }]);
  t.same(over.clientKey(NOW + 1_000), old.clientKey(NOW), 'requests are counted all the same');
});
