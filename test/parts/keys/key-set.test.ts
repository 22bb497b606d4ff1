import { generateKeyPairSync, randomBytes } from 'node:crypto';
import t from 'tap';
import {
  KeySetError,
  keyInUse,
  keyState,
  readKeySet,
  thumbprint,
} from '../../../src/parts/keys/key-set.ts';
import { newMasterSecret, newSigningKey } from '../../../src/parts/keys/new-keys.ts';
import type { PrivateJwk } from '../../../src/schemas/jwk.ts';
import { keySet } from '../../test-app.ts';

const jwkOf = (key: { privateKey: import('node:crypto').KeyObject }) =>
  key.privateKey.export({ format: 'jwk' }) as PrivateJwk;

const es256 = newSigningKey('ES256', 0);
const ed25519 = newSigningKey('EdDSA', 0);
const otherEd25519 = newSigningKey('EdDSA', 0);
const otherEs256 = newSigningKey('ES256', 0);
const rs256 = newSigningKey('RS256', 0);
const master = newMasterSecret(0);
const without = (jwk: PrivateJwk, ...names: string[]) =>
  Object.fromEntries(Object.entries(jwk).filter(([name]) => !names.includes(name))) as PrivateJwk;
const unnamed = (jwk: PrivateJwk) => without(jwk, 'kid');
const text = (secret: string) => ({
  kty: 'oct' as const,
  k: Buffer.from(secret).toString('base64url'),
});

t.test(
  'KEY-02 the thumbprint is that of RFC 7638 section 3.1, and ignores other members',
  async (t) => {
    const jwk = {
      kty: 'RSA',
      n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
      e: 'AQAB',
      alg: 'RS256',
      kid: '2011-04-29',
    } as const;
    t.equal(thumbprint(jwk), 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
  },
);

t.test('keys are grouped by use', async (t) => {
  const signing = [es256, rs256, ed25519, newSigningKey('PS256', 0), newSigningKey('HS256', 0)];
  const set = readKeySet(keySet(...signing, master));
  t.same(
    set.signing.map(({ kid, alg }) => [kid, alg]),
    signing.map(({ kid, alg }) => [kid, alg]),
  );
  t.same(
    set.masters.map(({ kid }) => kid),
    [master.kid],
  );
  t.equal(set.masters[0]?.secret.toString('base64url'), master['k']);
});

t.test(
  'a public key contains nothing private, and a shared secret has no public key',
  async (t) => {
    const set = readKeySet(keySet(es256, rs256, ed25519, newSigningKey('HS256', 0), master));
    t.same(
      set.signing.map(({ publicJwk }) => publicJwk && Object.keys(publicJwk).sort()),
      [['crv', 'kty', 'x', 'y'], ['e', 'kty', 'n'], ['crv', 'kty', 'x'], undefined],
    );
  },
);

t.test('a key without alg gets the first algorithm of its type', async (t) => {
  const set = readKeySet(
    keySet(without(es256, 'alg'), without(rs256, 'alg'), without(ed25519, 'alg')),
  );
  t.same(
    set.signing.map(({ alg }) => alg),
    ['ES256', 'RS256', 'EdDSA'],
  );
});

t.test('times are read as seconds; a key without times never expires', async (t) => {
  const set = readKeySet(keySet({ ...es256, nbf: 10, exp: 20 }, without(ed25519, 'nbf'), master));
  t.match(set.signing, [
    { notBefore: 10_000, notAfter: 20_000 },
    { notBefore: 0, notAfter: Number.POSITIVE_INFINITY },
  ]);
});

const P256 = { use: 'sig', alg: 'ES256' } as const;
const sharedSecret = { kty: 'oct', use: 'sig' } as const;
const refused: [string, string, RegExp][] = [
  ['text', 'not json', /^it is not JSON$/],
  ['no object', 'null', /expected object/],
  ['no keys', '{"keys":[]}', /^keys: /],
  ['another member', '{"keys":[],"key":1}', /Unrecognized key/],
  ['51 keys', keySet(...Array<PrivateJwk>(51).fill(es256)), /^keys: /],
  ['an unknown kty', '{"keys":[{"kty":"DSA"}]}', /^keys\.0\.kty: /],
  ['a fraction of a second', keySet({ ...es256, nbf: 1.5 }), /^keys\.0\.nbf: /],
  ['a time before 1970', keySet({ ...es256, exp: -1 }), /^keys\.0\.exp: /],
  ['an alg that nobody should use', '{"keys":[{"kty":"RSA","alg":"none"}]}', /^keys\.0\.alg: /],
  ['an alg of another kty', keySet({ ...es256, alg: 'RS256' }), /^key 0: its alg does not match/],
  ['an EC key for Ed25519', keySet({ ...ed25519, alg: 'ES256' }), /^key 0: its alg does not match/],
  ['a foreign kid', keySet({ ...es256, kid: 'key-1' }), /^key 0: its kid is not its thumbprint/],
  ['a key twice', keySet(es256, master, es256), /^key 2: it appears twice$/],
  [
    'a secret twice, for two purposes',
    keySet(master, { ...master, use: 'sig' }),
    /^key 1: it appears twice$/,
  ],
  [
    'a signing key without its use',
    keySet(without(es256, 'use')),
    /^key 0: it needs "use": "sig"$/,
  ],
  ['a public key', keySet(without(es256, 'd')), /^key 0: it is not a private key$/],
  ['a public RSA key', keySet(without(rs256, 'd')), /^key 0: it is not a private key$/],
  [
    'a private key of another length',
    keySet({ ...es256, d: 'AAAA' }),
    /^key 0: its public half does not/,
  ],
  [
    'a private key that is not a number',
    keySet({ ...es256, d: 7 }),
    /^key 0: it is not a private key$/,
  ],
  [
    'RSA with 1024 bits',
    keySet({ ...jwkOf(generateKeyPairSync('rsa', { modulusLength: 1_024 })), use: 'sig' }),
    /^key 0: RSA keys need 2048 bits or more$/,
  ],
  [
    'RSA with 2047 bits',
    keySet({ ...jwkOf(generateKeyPairSync('rsa', { modulusLength: 2_047 })), use: 'sig' }),
    /^key 0: RSA keys need 2048 bits or more$/,
  ],
  [
    'secp256k1',
    keySet({ ...jwkOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' })), ...P256 }),
    /^key 0: EC keys must be on the curve P-256$/,
  ],
  [
    'P-384',
    keySet({ ...jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-384' })), ...P256 }),
    /^key 0: EC keys must be on the curve P-256$/,
  ],
  [
    'Ed448',
    keySet({ ...jwkOf(generateKeyPairSync('ed448')), use: 'sig' }),
    /^key 0: OKP keys must be on the curve Ed25519$/,
  ],
  [
    'X25519',
    keySet({ ...jwkOf(generateKeyPairSync('x25519')), use: 'sig' }),
    /^key 0: OKP keys must be on the curve Ed25519$/,
  ],
  [
    'a secret of 31 bytes',
    keySet({ kty: 'oct', k: randomBytes(31).toString('base64url') }),
    /shorter than 32 bytes$/,
  ],
  ['no secret', keySet({ kty: 'oct' }), /^key 0: its secret is not base64url$/],
  ['an empty secret', keySet({ kty: 'oct', k: '' }), /shorter than 32 bytes$/],
  [
    'a secret that is a number',
    keySet({ kty: 'oct', k: 7 }),
    /^key 0: its secret is not base64url$/,
  ],
  [
    'a password as a secret',
    keySet(text('a-string-secret-at-least-256-bits-long')),
    /is text, not 32 random bytes$/,
  ],
  [
    'a hexadecimal secret',
    keySet(text(randomBytes(32).toString('hex'))),
    /is text, not 32 random bytes$/,
  ],
  [
    'zeros as a secret',
    keySet({ kty: 'oct', k: Buffer.alloc(32).toString('base64url') }),
    /is text, not 32 random/,
  ],
  [
    'a shared secret of HS256 that is short',
    keySet({ ...sharedSecret, k: randomBytes(16).toString('base64url') }),
    /shorter than 32 bytes$/,
  ],
  [
    'a shared secret of HS256 that is text',
    keySet({ ...sharedSecret, ...text('x'.repeat(40)) }),
    /is text/,
  ],
];

for (const [what, json, message] of refused) {
  t.test(`KEY-03 KEY-04 ${what} is refused`, async (t) => {
    t.throws(() => readKeySet(json), { constructor: KeySetError, message });
  });
}

t.test('KEY-09 a refusal never contains the key', async (t) => {
  const bad = [
    { ...es256, kid: 'x' },
    { ...unnamed(master), k: `${master['k']}=` },
    text('a readable secret of a person'),
  ];
  for (const jwk of bad) {
    try {
      readKeySet(keySet(jwk));
      t.fail('accepted');
    } catch (error) {
      const message = (error as Error).message;
      for (const member of ['d', 'x', 'y', 'k']) {
        if (typeof jwk[member as never] === 'string') t.notMatch(message, jwk[member as never]);
      }
    }
  }
});

t.test('a key whose halves do not match is refused: its tokens would not verify', async (t) => {
  const evenModulus = Buffer.from(`${rs256['n']}`, 'base64url');
  evenModulus.writeUInt8(
    evenModulus.readUInt8(evenModulus.length - 1) & 0xfe,
    evenModulus.length - 1,
  );
  const strangers = [
    { ...unnamed(ed25519), x: otherEd25519['x'] },
    { ...unnamed(es256), d: otherEs256['d'] },
    { ...unnamed(rs256), e: 'Aw' },
    { ...unnamed(rs256), n: evenModulus.toString('base64url') },
  ];
  for (const jwk of strangers) {
    t.throws(() => readKeySet(keySet(jwk)), {
      constructor: KeySetError,
      message: /^key 0: its public half does not/,
    });
  }
});

t.test(
  'a non-canonical encoding of a key is refused: it would have another thumbprint',
  async (t) => {
    const { k } = master as { k?: string };
    t.throws(() => readKeySet(keySet({ kty: 'oct', k: `${k}=` })), { message: /not base64url/ });
    t.throws(() => readKeySet(keySet({ ...unnamed(es256), x: `${es256['x']}=` })), {
      message: /public half/,
    });
    const padded = Buffer.concat([Buffer.alloc(1), Buffer.from(`${rs256['n']}`, 'base64url')]);
    t.throws(() => readKeySet(keySet({ ...unnamed(rs256), n: padded.toString('base64url') })), {
      message: /public half/,
    });
  },
);

t.test('the newest key that has started and not expired is in use', async (t) => {
  const old = { kid: 'old', notBefore: 0, notAfter: 300 };
  const current = { kid: 'current', notBefore: 100, notAfter: Number.POSITIVE_INFINITY };
  const next = { kid: 'next', notBefore: 200, notAfter: Number.POSITIVE_INFINITY };
  const keys = [current, next, old];
  const states = (now: number) => [old, current, next].map((key) => keyState(key, keys, now));
  t.equal(keyInUse(keys, -1), undefined);
  t.equal(keyInUse([], 0), undefined);
  t.equal(keyInUse(keys, 99)?.kid, 'old');
  t.equal(keyInUse(keys, 100)?.kid, 'current');
  t.equal(keyInUse(keys, 200)?.kid, 'next');
  t.same(states(99), ['signing', 'published', 'published']);
  t.same(states(100), ['verifying', 'signing', 'published']);
  t.same(states(299), ['verifying', 'verifying', 'signing']);
  t.same(states(300), ['gone', 'verifying', 'signing']);
  t.equal(keyInUse([old], 300), undefined);
});

t.test('of two keys with the same start, every node uses the first in the file', async (t) => {
  const twins = [
    { kid: 'a', notBefore: 5, notAfter: 10 },
    { kid: 'b', notBefore: 5, notAfter: 10 },
  ];
  t.equal(keyInUse(twins, 5)?.kid, 'a');
  t.equal(keyState(twins[1] as (typeof twins)[0], twins, 5), 'verifying');
});

t.test('KEY-04 an RSA key of exactly 2048 bits is accepted', async (t) => {
  const jwk = jwkOf(generateKeyPairSync('rsa', { modulusLength: 2_048 }));
  t.equal(readKeySet(keySet({ ...jwk, use: 'sig' })).signing.length, 1);
});

t.test('KEY-03 a secret needs at least sixteen different bytes', async (t) => {
  const of = (different: number) =>
    Buffer.from(Array.from({ length: 32 }, (_, index) => 0x80 + (index % different)));
  const read = (secret: Buffer) =>
    readKeySet(keySet({ kty: 'oct', k: secret.toString('base64url') })).masters;
  t.equal(read(of(16)).length, 1);
  t.throws(() => read(of(15)), { message: /is text, not 32 random bytes$/ });
});

t.test('every format error is reported', async (t) => {
  t.throws(() => readKeySet('{"keys":[{"kty":"DSA"},{"kty":"none"}]}'), {
    message: /^keys\.0\.kty: [^;]+; keys\.1\.kty: [^;]+$/,
  });
});

t.test('thumbprints of EC and OKP keys match other implementations', async (t) => {
  // RFC 8037 appendix A.3, and the EC key of RFC 7517 appendix A.1.
  const okp = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };
  t.equal(thumbprint(okp as PrivateJwk), 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
  const ec = {
    kty: 'EC',
    crv: 'P-256',
    x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
    y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
  };
  t.equal(thumbprint(ec as PrivateJwk), 'cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s');
});
