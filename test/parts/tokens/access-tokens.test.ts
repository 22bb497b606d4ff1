import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import t from 'tap';
import { randomId } from '../../../src/parts/ids.ts';
import type { KeyRing } from '../../../src/parts/keys/key-ring.ts';
import { readKeySet } from '../../../src/parts/keys/key-set.ts';
import { newMasterSecret, newSigningKey } from '../../../src/parts/keys/new-keys.ts';
import { Revocations } from '../../../src/parts/revocations/revocations.ts';
import { AccessTokens } from '../../../src/parts/tokens/access-tokens.ts';
import { OwnTokens } from '../../../src/parts/tokens/own-tokens.ts';
import { EVERY_FACTOR } from '../../../src/rules/factors/factors.ts';
import { HARDWARE_KEY } from '../../../src/rules/factors/passkey.ts';
import { Refusal } from '../../../src/rules/refusal.ts';
import { MFA } from '../../../src/rules/second-factor.ts';
import { withNewSession, withSessionEnded } from '../../../src/rules/sessions.ts';
import type { PrivateJwk } from '../../../src/schemas/jwk.ts';
import { SigningAlgorithm } from '../../../src/schemas/jwk.ts';
import type { Session, User } from '../../../src/schemas/user.ts';
import { ada, limits, NOW } from '../../rules/samples.ts';
import { keySet, TestClock } from '../../test-app.ts';
import { AUDIENCE, ISSUER, ringOf, signingKeyOf } from '../rings.ts';

const EVERY_AMR = [...EVERY_FACTOR.flatMap(({ amr }) => amr), MFA];
const SECONDS = NOW / 1_000;
const es256 = newSigningKey('ES256', 0);
const master = newMasterSecret(0);

interface Service {
  tokens: AccessTokens;
  revocations: Revocations;
  clock: TestClock;
  keys: KeyRing;
  user: User;
  session: Session;
}

async function service(
  jwks: PrivateJwk[] = [es256, master],
  oversized?: (user: string, text: string) => void,
): Promise<Service> {
  const clock = new TestClock();
  const keys = await ringOf(jwks);
  const revocations = new Revocations(() => 0);
  const tokens = new AccessTokens({
    issuer: ISSUER,
    audience: AUDIENCE,
    keys,
    revocations,
    clock: () => clock.now,
    ...(oversized && { oversized }),
  });
  const signIn = { id: randomId(), amr: ['pwd'], transport: 'body' as const, client: 'curl' };
  const { user, session } = withNewSession(ada({ roles: ['editor'] }), signIn, NOW, limits);
  return { tokens, revocations, clock, keys, user, session };
}

/** The refusal of the token, and the reason for the log. */
function refusalOf(tokens: AccessTokens, token: string): { code: string; reason?: string } {
  try {
    tokens.read(token);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { reason } = error.circumstances;
    return { code: error.code, ...(reason === undefined ? {} : { reason }) };
  }
  return { code: 'none' };
}

const encoded = (value: object | string | Buffer) =>
  Buffer.from(
    typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value),
  ).toString('base64url');
const decoded = (segment = '') => JSON.parse(Buffer.from(segment, 'base64url').toString());

/** Signs any text with the service's own ES256 key. */
function forged(
  claims: object | string | Buffer,
  header: object | string = { alg: 'ES256', typ: 'at+jwt', kid: es256.kid },
) {
  const input = `${encoded(header)}.${encoded(claims)}`;
  const key = { key: signingKeyOf(es256).privateKey, dsaEncoding: 'ieee-p1363' as const };
  return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`;
}

const good = {
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'user',
  client_id: 'latchkey',
  iat: SECONDS,
  exp: SECONDS + 900,
  jti: 'unique',
  sid: 'session',
  ver: 0,
  roles: ['editor'],
  amr: ['pwd'],
  auth_time: SECONDS,
};

for (const alg of SigningAlgorithm.options) {
  t.test(`with ${alg} an issued token can be read, a changed one cannot`, async (t) => {
    const { tokens, user, session } = await service([newSigningKey(alg, 0), master]);
    const token = tokens.issue(user, session);
    const [header = '', payload = '', signature = ''] = token.split('.');
    t.match(decoded(header), { alg, typ: 'at+jwt' });
    t.same(Object.keys(decoded(header)).sort(), ['alg', 'kid', 'typ']);
    const claims = {
      ...good,
      sub: user.id,
      sid: session.id,
      jti: decoded(payload).jti,
    };
    t.same(decoded(payload), claims, 'exactly these claims');
    const flipped = (segment: string, at: number) => {
      const bytes = Buffer.from(segment, 'base64url');
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
      return bytes.toString('base64url');
    };
    const touched = [
      [flipped(header, 10), payload, signature],
      [header, flipped(payload, 40), signature],
      [header, encoded({ ...claims, roles: ['admin'] }), signature],
      [header, payload, flipped(signature, 0)],
      [header, payload, flipped(signature, Buffer.from(signature, 'base64url').length - 1)],
      [header, payload, signature.slice(0, -4)],
      [header, payload, `${signature}AAAA`],
      [header, payload, encoded(Buffer.alloc(64))],
    ];
    for (const segments of touched)
      t.equal(refusalOf(tokens, segments.join('.')).code, 'token_invalid');
    t.same(tokens.read(token), claims);
  });
}

t.test('TOK-21 each token has a unique jti of at least 128 bits', async (t) => {
  const { tokens, user, session } = await service();
  const ids = Array.from(
    { length: 100 },
    () => decoded(tokens.issue(user, session).split('.')[1]).jti,
  );
  t.equal(new Set(ids).size, 100);
  t.ok(ids.every((id) => Buffer.from(id, 'base64url').length === 16));
});

t.test('TOK-20 a token contains no personal data', async (t) => {
  const { tokens, user, session } = await service();
  // Words that no random ID contains.
  const person = { ...user, name: 'Ada Lovelace', email: 'ada.lovelace@personal.example.com' };
  const claims = Buffer.from(
    tokens.issue(person, session).split('.')[1] ?? '',
    'base64url',
  ).toString();
  t.notMatch(claims, /lovelace|personal|argon2|curl/i);
});

t.test('a token over 1 KB is not issued, and the error names the largest claim', async (t) => {
  const { tokens, user, session } = await service();
  const roles = (count: number) => ({ ...user, roles: Array<string>(count).fill('a-role') });
  t.ok(tokens.issue(roles(20), session).length <= 1_024);
  t.throws(() => tokens.issue(roles(100), session), {
    message: 'access token over 1 KB: roles is large',
  });
});

t.test('TOK-10 a token expires at its exp, not after it', async (t) => {
  const { tokens, user, session, clock } = await service();
  const token = tokens.issue(user, session);
  clock.advance(899_999);
  t.equal(refusalOf(tokens, token).code, 'none');
  clock.advance(1);
  t.equal(refusalOf(tokens, token).code, 'token_expired', 'a cached token');
  t.equal(
    refusalOf(tokens, forged({ ...good, iat: SECONDS, exp: SECONDS + 900 })).code,
    'token_expired',
    'a new token',
  );
});

t.test('TOK-01 an expired token with a bad signature is invalid, not expired', async (t) => {
  const { tokens, clock } = await service();
  clock.advance(3_600_000);
  const token = forged(good);
  t.equal(refusalOf(tokens, token).code, 'token_expired');
  const [header = '', payload = ''] = token.split('.');
  t.equal(
    refusalOf(tokens, `${header}.${payload}.${encoded(Buffer.alloc(64, 1))}`).code,
    'token_invalid',
  );
});

t.test('TOK-11 the clock of another node may be five seconds ahead, not six', async (t) => {
  const { tokens } = await service();
  const ahead = (seconds: number) => ({ iat: SECONDS + seconds, exp: SECONDS + seconds + 900 });
  t.equal(refusalOf(tokens, forged({ ...good, ...ahead(5) })).code, 'none');
  t.same(refusalOf(tokens, forged({ ...good, ...ahead(6) })), {
    code: 'token_invalid',
    reason: 'iat is in the future',
  });
  t.equal(refusalOf(tokens, forged({ ...good, nbf: SECONDS + 5 })).code, 'none');
  t.same(refusalOf(tokens, forged({ ...good, nbf: SECONDS + 6 })), {
    code: 'token_invalid',
    reason: 'nbf is in the future',
  });
});

t.test(
  'TOK-11 a token that lives longer than fifteen minutes is refused, even with a valid signature',
  async (t) => {
    const { tokens } = await service();
    t.equal(refusalOf(tokens, forged({ ...good, exp: SECONDS + 900 })).code, 'none');
    t.same(refusalOf(tokens, forged({ ...good, exp: SECONDS + 901 })), {
      code: 'token_invalid',
      reason: 'lifetime too long',
    });
  },
);

t.test('TOK-08 a token without one of its claims is refused', async (t) => {
  const { tokens } = await service();
  for (const name of Object.keys(good)) {
    const claims = Object.fromEntries(Object.entries(good).filter(([key]) => key !== name));
    t.equal(refusalOf(tokens, forged(claims)).code, 'token_invalid', name);
  }
});

t.test('TOK-09 a claim of the wrong type, or an unknown claim, is refused', async (t) => {
  const { tokens } = await service();
  const odd = [null, '', [], {}, true, -1, 1.5, 1e300, '1', SECONDS * 1_000 * 1_000];
  const types: Record<string, unknown[]> = {
    iss: [...odd, [ISSUER], `${ISSUER}/`],
    aud: [...odd, [AUDIENCE], [[AUDIENCE]], [AUDIENCE, 1], { 0: AUDIENCE }, `${AUDIENCE} `],
    // These would break the headers of /v1/whoami.
    sub: [...odd.filter((value) => value !== '1'), 'a\nb', 'a b', '\u0416'],
    jti: odd.filter((value) => value !== '1'),
    sid: [...odd.filter((value) => value !== '1'), 'a\r', '\0'],
    client_id: odd.filter((value) => value !== '1'),
    iat: odd,
    exp: odd,
    nbf: odd,
    auth_time: odd,
    ver: odd.filter((value) => value !== SECONDS * 1_000 * 1_000),
    roles: [
      ...odd.filter((value) => !Array.isArray(value)),
      [1],
      [['admin']],
      [''],
      ['a\nb'],
      ['a,b'],
      ['\u0416'],
    ],
    amr: [...odd.filter((value) => !Array.isArray(value)), [null]],
    role: ['admin'],
    cnf: [{ jkt: 'x' }],
  };
  for (const [name, values] of Object.entries(types)) {
    for (const value of values) {
      const token = forged({ ...good, [name]: value });
      t.equal(refusalOf(tokens, token).code, 'token_invalid', `${name}: ${JSON.stringify(value)}`);
    }
  }
  for (const claims of [
    '[]',
    'null',
    '1',
    '"x"',
    '',
    '{"__proto__":{"roles":[]}}',
    `${JSON.stringify(good).slice(0, -1)},"__proto__":1}`,
  ]) {
    t.equal(refusalOf(tokens, forged(claims)).code, 'token_invalid', claims);
  }
});

t.test('RFC 9068 section 2.2.3 the scope of a service account is its roles', async (t) => {
  const { tokens, user, session } = await service();
  const account = { ...user, kind: 'service' as const, roles: ['a', 'b'] };
  const claims = decoded(tokens.issue(account, session, { scope: 'a b' }).split('.')[1]);
  t.equal(claims.scope, 'a b');
  t.equal(refusalOf(tokens, forged(claims)).code, 'none');
  for (const scope of ['b a', 'a', 'a b c', 'a  b', ' a b', '', ['a', 'b'], null, 1])
    t.equal(
      refusalOf(tokens, forged({ ...claims, scope })).code,
      'token_invalid',
      JSON.stringify(scope),
    );
  const person = { ...good, roles: ['a', 'b'], scope: 'a b' };
  t.equal(refusalOf(tokens, forged(person)).code, 'token_invalid', 'a person has none');
});

t.test(
  'a header that this service does not write is refused, even with a valid signature',
  async (t) => {
    const { tokens } = await service();
    const ours = { alg: 'ES256', typ: 'at+jwt', kid: es256.kid };
    const headers = [
      { ...ours, typ: 'JWT' },
      { ...ours, typ: 'AT+JWT' },
      { ...ours, typ: 'application/at+jwt' },
      { alg: 'ES256', kid: es256.kid },
      { alg: 'ES256', typ: 'at+jwt' },
      { ...ours, alg: 'none' },
      { ...ours, alg: 'es256' },
      { ...ours, alg: 'HS256' },
      { ...ours, crit: [] },
      { ...ours, crit: null },
      { ...ours, crit: ['exp'], exp: 1 },
      { ...ours, b64: false },
      { ...ours, zip: 'DEF' },
      { ...ours, jku: 'https://evil.example.com/jwks' },
      { ...ours, x5u: 'https://evil.example.com/x5u' },
      { ...ours, jwk: {} },
      ...[
        '',
        '../../../dev/null',
        "' or 1=1--",
        '__proto__',
        '\0',
        [],
        1,
        {},
        null,
        'x'.repeat(2_000),
      ].map((kid) => ({ ...ours, kid })),
      { kid: es256.kid, typ: 'at+jwt', alg: 'ES256' },
      '[]',
      'null',
      ` ${JSON.stringify(ours)}`,
      `\u{feff}${JSON.stringify(ours)}`,
      `{"alg":"none",${JSON.stringify(ours).slice(1)}`,
    ];
    for (const header of headers) {
      const token = forged(good, header);
      if (JSON.stringify(header) === JSON.stringify(ours)) continue;
      t.same(refusalOf(tokens, token), { code: 'token_invalid', reason: 'unknown header' });
    }
    t.equal(refusalOf(tokens, forged(good, ours)).code, 'none');
  },
);

t.test('no key from the header verifies a token', async (t) => {
  const { tokens } = await service();
  const { publicKey } = signingKeyOf(es256);
  const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
  const der = publicKey.export({ type: 'spki', format: 'der' });
  const header = encoded({ alg: 'ES256', typ: 'at+jwt', kid: es256.kid });
  const input = `${header}.${encoded(good)}`;
  const strange = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const signatures = [
    '',
    sign('sha256', Buffer.from(input), { key: strange, dsaEncoding: 'ieee-p1363' }).toString(
      'base64url',
    ),
    sign('sha256', Buffer.from(input), {
      key: signingKeyOf(es256).privateKey,
      dsaEncoding: 'der',
    }).toString('base64url'),
    ...[pem, pem.trim(), '', der, JSON.stringify(es256)].map((secret) =>
      createHmac('sha256', secret).update(input).digest('base64url'),
    ),
    encoded(Buffer.alloc(64)),
    encoded(Buffer.alloc(63, 1)),
    encoded(Buffer.alloc(65, 1)),
  ];
  for (const signature of signatures) {
    t.equal(refusalOf(tokens, `${input}.${signature}`).code, 'token_invalid');
  }
});

t.test('TOK-03 a token is verified only with the key that its header names', async (t) => {
  const second = newSigningKey('ES256', 0);
  const { tokens } = await service([es256, second, master]);
  t.equal(refusalOf(tokens, forged(good)).code, 'none');
  const token = forged(good, { alg: 'ES256', typ: 'at+jwt', kid: second.kid });
  t.equal(refusalOf(tokens, token).code, 'token_invalid');
});

t.test(
  'the HS256 secret verifies access tokens only, and own tokens are not access tokens',
  async (t) => {
    const { tokens, keys, clock, user } = await service();
    const own = new OwnTokens({ issuer: ISSUER, keys, clock: () => clock.now });
    const dates = { iat: SECONDS, exp: SECONDS + 900 };
    const strangers = [
      own.issue('refresh', { sub: user.id, sid: 's', gen: 0, ver: 0, dev: 'd', ...dates }),
      own.issue('device', { sub: user.id, jti: 'd', ...dates }),
    ];
    for (const token of strangers) {
      t.same(refusalOf(tokens, token), { code: 'token_invalid', reason: 'unknown header' });
    }
  },
);

t.test('a non-canonical form of a cached token is refused', async (t) => {
  const { tokens, user, session } = await service();
  const token = tokens.issue(user, session);
  tokens.read(token);
  const [header = '', payload = '', signature = ''] = token.split('.');
  const last = (text: string) => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const at = alphabet.indexOf(text.slice(-1));
    return `${text.slice(0, -1)}${alphabet[at ^ 1]}`;
  };
  const spellings = [
    `${header}.${payload}.${last(signature)}`,
    `${header}.${payload}.${signature}=`,
    `${header}.${payload}.${signature}\n`,
    ` ${token}`,
    `${token}.`,
    `${header}.${payload}=.${signature}`,
    `${header}.${payload.replace(/^e/, 'e ')}.${signature}`,
  ];
  for (const spelling of spellings)
    t.equal(refusalOf(tokens, spelling).code, 'token_invalid', spelling);
});

t.test('signed claims in non-canonical form are refused', async (t) => {
  const { tokens } = await service();
  const json = JSON.stringify(good);
  const forms = [
    json.replace('"sub":"user"', '"sub":"other","sub":"user"'),
    json.replace(',', ', '),
    `\u{feff}${json}`,
    Buffer.concat([
      Buffer.from(json.slice(0, 9)),
      Buffer.from([0xc0, 0xaf]),
      Buffer.from(json.slice(9)),
    ]),
    json.replace(`"exp":${good.exp}`, '"exp":1e400'),
    json.replace(`"exp":${good.exp}`, `"exp":${good.exp}.0`),
  ];
  for (const form of forms) {
    t.same(refusalOf(tokens, forged(form)), {
      code: 'token_invalid',
      reason: 'not in canonical form',
    });
  }
});

t.test('TOK-16 a token over 4 KB is refused before it is parsed', async (t) => {
  const { tokens } = await service();
  const long = forged({ ...good, sub: 'x'.repeat(4_000) });
  t.ok(long.length > 4_096);
  t.same(refusalOf(tokens, long), { code: 'token_invalid', reason: 'too long' });
  t.equal(refusalOf(tokens, 'x'.repeat(1_000_000)).reason, 'too long');
});

t.test('TOK-18 claims are frozen, and shared by all requests', async (t) => {
  const { tokens, user, session } = await service();
  const token = tokens.issue(user, session);
  const first = tokens.read(token);
  t.throws(() => first.roles.push('admin'), TypeError);
  t.throws(() => first.amr.push('mfa'), TypeError);
  t.throws(() => Object.assign(first, { sub: 'other' }), TypeError);
  t.equal(tokens.read(token), first, 'cached the second time');
  t.same(first.roles, ['editor']);
});

t.test('a token is refused as soon as its session ends, cached or not', async (t) => {
  const { tokens, user, session, revocations } = await service();
  const [known, unseen] = [tokens.issue(user, session), tokens.issue(user, session)];
  tokens.read(known);
  revocations.learn(withSessionEnded(user, session.id, NOW));
  t.equal(refusalOf(tokens, known).code, 'token_revoked');
  t.equal(refusalOf(tokens, unseen).code, 'token_revoked');
});

t.test('TOK-17 a revoked token stays revoked with an equivalent signature', async (t) => {
  const { tokens, user, session, revocations } = await service();
  const token = tokens.issue(user, session);
  const [header = '', payload = '', signature = ''] = token.split('.');
  const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
  const bytes = Buffer.from(signature, 'base64url');
  const s = order - BigInt(`0x${bytes.subarray(32).toString('hex')}`);
  const twin = Buffer.concat([
    bytes.subarray(0, 32),
    Buffer.from(s.toString(16).padStart(64, '0'), 'hex'),
  ]);
  tokens.read(token);
  revocations.learn(withSessionEnded(user, session.id, NOW));
  const refused = refusalOf(tokens, `${header}.${payload}.${twin.toString('base64url')}`);
  t.ok(['token_revoked', 'token_invalid'].includes(refused.code));
});

t.test('a token that is both expired and revoked is reported as expired', async (t) => {
  const { tokens, user, session, revocations, clock } = await service();
  const token = tokens.issue(user, session);
  revocations.learn(withSessionEnded(user, session.id, NOW));
  clock.advance(900_000);
  t.equal(refusalOf(tokens, token).code, 'token_expired');
});

t.test(
  'TOK-18 KEY-06 a token is refused when its key is removed, even if it was cached',
  async (t) => {
    const { tokens, user, session, keys } = await service();
    const token = tokens.issue(user, session);
    tokens.read(token);
    await keys.replace(readKeySet(keySet(newSigningKey('ES256', 0), master)), NOW);
    t.same(refusalOf(tokens, token), { code: 'token_invalid', reason: 'unknown header' });
    await keys.replace(readKeySet(keySet(es256, master)), NOW);
    t.equal(refusalOf(tokens, token).code, 'none', 'the key is back');
  },
);

t.test('a cached token is refused when its key expires', async (t) => {
  const { tokens, user, session, clock } = await service([{ ...es256, exp: SECONDS + 60 }, master]);
  const token = tokens.issue(user, session);
  tokens.read(token);
  clock.advance(59_999);
  t.equal(refusalOf(tokens, token).code, 'none');
  clock.advance(1);
  t.same(refusalOf(tokens, token), { code: 'token_invalid', reason: 'the key has expired' });
});

t.test(
  'KEY-05 a token of the old key stays valid after the new key has started to sign',
  async (t) => {
    const next = newSigningKey('EdDSA', SECONDS + 10);
    const { tokens, user, session, clock } = await service([es256, next, master]);
    const old = tokens.issue(user, session);
    clock.advance(10_000);
    const young = tokens.issue(user, session);
    t.equal(decoded(young.split('.')[0]).kid, next.kid);
    t.equal(refusalOf(tokens, old).code, 'none');
    t.equal(refusalOf(tokens, young).code, 'none');
  },
);

t.test('a bad token is refused every time, and never cached', async (t) => {
  const { tokens } = await service();
  const bad = forged({ ...good, exp: SECONDS + 901 });
  for (let turn = 0; turn < 10; turn += 1) t.equal(refusalOf(tokens, bad).code, 'token_invalid');
});

/** The results of `make` for texts of these lengths. */
const atLengths = (lengths: number[], make: (text: string) => string): string[] => {
  const made = Array.from({ length: 3_000 }, (_, size) => 'x'.repeat(size + 1));
  return lengths.map((length) => {
    const text = made.find((candidate) => make(candidate).length === length);
    return make(text ?? '');
  });
};

t.test('TOK-16 a token of 4,096 characters is read, a longer one is refused', async (t) => {
  const { tokens, keys } = await service();
  const signer = keys.signer('access', NOW);
  const [longest = '', longer = ''] = atLengths([4_096, 4_097], (sub) =>
    signer.sign({ ...good, sub }),
  );
  t.equal(refusalOf(tokens, longest).code, 'none');
  t.same(refusalOf(tokens, longer), { code: 'token_invalid', reason: 'too long' });
});

t.test('a token of 1,024 characters is issued, a longer one is not', async (t) => {
  const { tokens, user, session } = await service();
  const lengthOf = (size: number) => {
    try {
      return tokens.issue({ ...user, id: 'x'.repeat(size) }, session).length;
    } catch (error) {
      return (error as Error).message;
    }
  };
  const lengths = Array.from({ length: 100 }, (_, more) => lengthOf(350 + more));
  const last = lengths.indexOf(1_024);
  t.equal(lengths[last + 1], 'access token over 1 KB: sub is large');
});

t.test('the key of a proof and the length of an RSA signature prevent no sign-in', async (t) => {
  for (const alg of SigningAlgorithm.options) {
    const { tokens, user, session } = await service([newSigningKey(alg, 0), master]);
    const full = { ...user, roles: Array<string>(25).fill('a-role') };
    const jkt = 'x'.repeat(43);
    const [plain, bound] = [session, { ...session, jkt }].map((one) => tokens.issue(full, one)) as [
      string,
      string,
    ];
    t.equal(bound.length - plain.length, 80, alg);
    t.same(tokens.read(bound).cnf, { jkt });
    const roles = Array<string>(100).fill('a-role');
    t.throws(() => tokens.issue({ ...user, roles }, { ...session, jkt }), {
      message: 'access token over 1 KB: roles is large',
    });
  }
});

t.test("a machine's token names the machine as its client", async (t) => {
  const { tokens, user, session } = await service();
  const { sub, client_id } = tokens.read(tokens.issue({ ...user, kind: 'service' }, session));
  t.same([sub, client_id], [user.id, user.id]);
});

t.test('the log says whether the signature or the claims were bad', async (t) => {
  const { tokens, user, session } = await service();
  const [header, payload] = tokens.issue(user, session).split('.');
  const unsigned = `${header}.${payload}.${encoded(Buffer.alloc(64, 1))}`;
  t.match(refusalOf(tokens, unsigned), { code: 'token_invalid', reason: /signature/i });
  t.same(refusalOf(tokens, forged({ ...good, roles: 'admin' })), {
    code: 'token_invalid',
    reason: 'missing, unknown or malformed claims',
  });
});

t.test('custom claims are in the token, and replace none of its own claims', async (t) => {
  const { tokens, user, session } = await service();
  const claims = {
    plan: 'pro',
    tenant: { ids: [1] },
    sub: 'root',
    roles: ['admin'],
    cnf: 1,
    nbf: 1,
  };
  const read = tokens.read(tokens.issue({ ...user, claims }, session));
  t.same(
    { ...read, jti: 'unique' },
    { ...good, sub: user.id, sid: session.id, plan: 'pro', tenant: { ids: [1] } },
  );
  t.throws(() => Object.assign((read as unknown as { tenant: object }).tenant, { ids: [] }));
  t.throws(() => (read as unknown as { tenant: { ids: number[] } }).tenant.ids.push(2));
});

t.test('a token with custom claims that nobody could have set is refused', async (t) => {
  const { tokens } = await service();
  t.equal(refusalOf(tokens, forged({ ...good, plan: 'pro' })).code, 'none');
  for (const extra of [
    { email: 'ada@example.com' },
    { act: { sub: 'x' } },
    { role: 'admin' },
    { toString: 1 },
    { '1st': 1 },
    { x: [[[[]]]] },
    { x: 'a'.repeat(300) },
    { x: JSON.parse('{"__proto__":1}') },
  ])
    t.equal(
      refusalOf(tokens, forged({ ...good, ...extra })).code,
      'token_invalid',
      JSON.stringify(extra),
    );
});

t.test('custom claims that no longer fit prevent no token, but roles do', async (t) => {
  const { tokens, user, session } = await service();
  const long = { ...user, claims: { x: 'a'.repeat(240) }, roles: Array(20).fill('a-role') };
  t.ok(tokens.longest(long) > 1_024);
  const token = tokens.issue(long, session);
  t.ok(token.length > 1_024);
  t.same(tokens.read(token).roles, long.roles);
  const roles = Array<string>(100).fill('a-role');
  t.throws(() => tokens.issue({ ...long, roles }, session), {
    message: 'access token over 1 KB: roles is large',
  });
});

t.test('roles that fit after a sign-in by password fit after every other one', async (t) => {
  const warnings: string[] = [];
  const oversized = (...line: string[]) => warnings.push(line.join(' '));
  const { tokens, user, session } = await service(undefined, oversized);
  const fits = (size: number) => tokens.longest({ ...user, roles: ['r'.repeat(size)] }) <= 1_024;
  const size = Array.from({ length: 600 }, (_, index) => index).findLastIndex(fits);
  const full = { ...user, roles: ['r'.repeat(size)] };
  t.ok(tokens.issue(full, session).length <= 1_024);
  for (const amr of [HARDWARE_KEY, ['fed', 'pwd', 'otp', 'mfa'], EVERY_AMR]) {
    const token = tokens.issue(full, { ...session, amr });
    t.ok(token.length > 1_024, amr.join(' '));
    t.same(tokens.read(token).amr, amr);
    t.equal(warnings.pop(), `${user.id} access token over 1 KB: roles is large`);
  }
  const older = { ...full, access_version: 9_999 };
  t.same(tokens.read(tokens.issue(older, session)).ver, 9_999, 'and after removed roles');
  const more = { ...user, roles: ['r'.repeat(size + 4)] };
  t.throws(() => tokens.issue(more, { ...session, amr: HARDWARE_KEY }), {
    message: 'access token over 1 KB: roles is large',
  });
});

t.test('no token of an account is longer than foreseen', async (t) => {
  const amr = [...new Set(EVERY_AMR)];
  for (const alg of SigningAlgorithm.options) {
    const { tokens, user, session } = await service([newSigningKey(alg, 0), master]);
    // What an RSA signature has more than others does not count.
    const lengthOf = (token: string) =>
      token.length - Math.max(0, (token.split('.')[2] as string).length - 86);
    for (const claims of [{}, { plan: '\u0436' }]) {
      const account = { ...user, claims };
      t.ok(lengthOf(tokens.issue(account, session)) <= tokens.longest(account), alg);
    }
    const account = { ...user, claims: { plan: 'pro' }, access_version: 9_999 };
    t.ok(lengthOf(tokens.issue(account, { ...session, amr })) <= tokens.longest(account), alg);
  }
});
