import type { PrivateJwk } from '../../src/schemas/jwk.ts';

import {
  encode,
  type Forger,
  hmac,
  type Json,
  privateKeyOf,
  publicKeyOf,
  salted,
  secretOf,
  signature,
} from './forger.ts';

/** Tokens, keyed by what is wrong with them. */
type Forgeries = Record<string, string>;

export interface World {
  forger: Forger;
  /** The other keys that the service accepts, each with its own `kid`. */
  others: PrivateJwk[];
  master: PrivateJwk;
  /** A key of the same algorithm that the service has never seen. */
  stranger: PrivateJwk;
  /** What the service publishes. */
  published: string;
  /** Valid tokens of the other kinds, by kind. */
  own: Record<string, string>;
  /** A second valid access token. */
  second: string;
  /** The address of a server that records its requests. */
  listener: string;
  /** Seconds. */
  now: number;
}

const table = <Value>(values: readonly Value[], make: (value: Value) => [string, string]) =>
  Object.fromEntries(values.map(make));

const shown = (value: unknown) =>
  (JSON.stringify(value) ?? 'absent').replace(/^(.{40}).+$/s, '$1...');

const NAMES = [
  'none,None,NONE,nOnE,no,null,undefined,HS256,HS384,HS512,RS256,RS384,RS512,PS256,PS384,PS512',
  'ES256,ES384,ES512,ES256K,EdDSA,Ed25519,Ed448,A256KW,dir,RSA-OAEP,A128CBC-HS256',
].flatMap((names) => names.split(','));

/** `alg`: the header names another algorithm than the key's, or the signature was made with another one. */
function algorithms({ forger, published, others }: World): Forgeries {
  const { header, jwk } = forger;
  const alg = String(jwk.alg);
  const names = NAMES.filter((name) => name !== alg);
  const spellings = [
    alg.toLowerCase() === alg ? alg.toUpperCase() : alg.toLowerCase(),
    ` ${alg}`,
    `${alg} `,
    `${alg}\0`,
    [alg],
    { 0: alg },
    '',
    null,
    0,
    1,
    true,
    undefined,
  ];
  const unsigned = names.slice(0, 7).flatMap((name) => {
    const input = forger.input({ header: { ...header, alg: name } });
    return [
      [`alg ${name}, no signature`, `${input}.`],
      [`alg ${name}, two segments`, input],
      [`alg ${name}, the real signature`, `${input}.${forger.segments[2]}`],
    ];
  });
  return {
    ...table(names, (name) => [`alg ${name}, signed`, forger.withHeader({ alg: name })]),
    ...table(spellings, (name) => [`alg ${shown(name)}`, forger.withHeader({ alg: name })]),
    ...Object.fromEntries(unsigned),
    // Another accepted key with its own alg, under the kid of this one; and the other way round.
    ...table(others, (other) => {
      const input = forger.input({ header: { ...header, alg: other.alg } });
      const text = `${input}.${encode(signature(input, other))}`;
      return [`alg and key ${other.alg}, our kid`, text];
    }),
    ...confusions(forger, published),
    ...otherSchemes(forger),
  };
}

/** The public key, or other public text, used as an HMAC secret (CVE-2023-48223 and later ones). */
function confusions(forger: Forger, published: string): Forgeries {
  const { header, jwk } = forger;
  const texts: Record<string, string | Buffer> = {
    'no key': '',
    'a zero byte': Buffer.alloc(1),
    '32 zero bytes': Buffer.alloc(32),
    'the kid': String(jwk.kid),
    'the issuer': String(forger.claims['iss']),
    'the word secret': 'secret',
    undefined: 'undefined',
    null: 'null',
    '[object Object]': '[object Object]',
    'the published key set': published,
    'the published key': JSON.stringify(JSON.parse(published).keys[0] ?? {}),
  };
  if (jwk.kty === 'oct') {
    texts['the secret as text'] = String(jwk['k']);
    texts['the secret in hex'] = secretOf(jwk).toString('hex');
    texts['the secret and a zero'] = Buffer.concat([secretOf(jwk), Buffer.from([1])]);
    texts['the secret, cut'] = secretOf(jwk).subarray(0, 31);
  } else {
    const key = publicKeyOf(jwk);
    const spki = String(key.export({ type: 'spki', format: 'pem' }));
    texts['the PEM'] = spki;
    texts['the DER'] = key.export({ type: 'spki', format: 'der' });
    texts['the JWK'] = JSON.stringify(key.export({ format: 'jwk' }));
    texts['the number in the key'] = Buffer.from(String(jwk['x'] ?? jwk['n']), 'base64url');
    texts['its text'] = String(jwk['x'] ?? jwk['n']);
    for (const [name, text] of Object.entries(pemSpellings(spki))) texts[name] = text;
    if (jwk.kty === 'RSA') {
      const pkcs1 = String(key.export({ type: 'pkcs1', format: 'pem' }));
      texts['the PKCS#1 PEM'] = pkcs1;
      for (const [name, text] of Object.entries(pemSpellings(pkcs1)))
        texts[`the PKCS#1 PEM: ${name}`] = text;
    }
  }
  const forgeries: Forgeries = {};
  for (const [name, secret] of Object.entries(texts)) {
    for (const bits of ['256', '384', '512']) {
      const input = forger.input({ header: { ...header, alg: `HS${bits}` } });
      if (jwk.alg !== `HS${bits}`)
        forgeries[`HS${bits} with ${name}`] = `${input}.${encode(hmac(input, secret, bits))}`;
    }
    forgeries[`our header, HMAC with ${name}`] = forger.signedAs((text) => hmac(text, secret));
    const unknown = forger.input({ header: { ...header, alg: 'HS256', kid: 'unknown' } });
    forgeries[`unknown kid, HMAC with ${name}`] = `${unknown}.${encode(hmac(unknown, secret))}`;
  }
  return forgeries;
}

const pemSpellings = (pem: string): Record<string, string> => ({
  'without its last newline': pem.trimEnd(),
  'with Windows newlines': pem.replaceAll('\n', '\r\n'),
  'after a space': ` ${pem}`,
  'after a newline': `\n${pem}`,
  'after a tab': `\t${pem}`,
  'after a NUL': `\0${pem}`,
  'after a BOM': `\ufeff${pem}`,
  'after a zero-width space': `\u200b${pem}`,
  'after a comment': `# key\n${pem}`,
  twice: `${pem}${pem}`,
  'without its frame': pem.replace(/-----[^-]+-----\n?/g, ''),
});

/** The real header, the real key, and another way to sign with it. */
function otherSchemes({ jwk, signedAs, input }: Forger): Forgeries {
  const byName = (names: string[]) =>
    table(names, (name) => [
      `our header, signed as ${name}`,
      signedAs((text) => signature(text, jwk, name)),
    ]);
  const key = () => privateKeyOf(jwk);
  switch (jwk.kty) {
    case 'RSA':
      return {
        ...byName(
          ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].filter((name) => name !== jwk.alg),
        ),
        ...table([0, 20, 31, 33, 64, 350], (length) => [
          `a salt of ${length} bytes`,
          signedAs((text) => salted(Buffer.from(text), key(), '256', length)),
        ]),
      };
    case 'EC':
      return byName(['ES384', 'ES512', 'ES224']);
    case 'oct':
      return byName(['HS384', 'HS512', 'HS224']);
    case 'OKP':
      return {
        'the other way round': signedAs((text) =>
          signature(text.split('.').reverse().join('.'), jwk),
        ),
        'the claims alone': signedAs(() => signature(input().split('.')[1] as string, jwk)),
      };
  }
}

/** `key`: the header is valid or nearly so, but another key signs than the one that it names. */
function keys(world: World): Forgeries {
  const { forger, others, master, stranger, listener, own } = world;
  const { header, jwk } = forger;
  const public_ =
    jwk.kty === 'oct' ? { kty: 'oct', k: jwk['k'] } : publicKeyOf(jwk).export({ format: 'jwk' });
  const by = (key: PrivateJwk, changes: Json = {}) => {
    const input = forger.input({ header: { ...header, ...changes } });
    return `${input}.${encode(signature(input, key))}`;
  };
  const strange =
    stranger.kty === 'oct' ? stranger : publicKeyOf(stranger).export({ format: 'jwk' });
  const kids: unknown[] = [
    '',
    ' ',
    `${jwk.kid} `,
    String(jwk.kid).slice(0, -1),
    `${jwk.kid}A`,
    String(jwk.kid).toUpperCase(),
    String(jwk.kid).toLowerCase(),
    'unknown',
    '../../dev/null',
    '/dev/null',
    'file:///dev/null',
    "' or 1=1--",
    "x' union select 'secret",
    '|id',
    '$(id)',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '0',
    '\0',
    `${jwk.kid}\0`,
    '\r\nx: y',
    '\u202e',
    'x'.repeat(129),
    'x'.repeat(2_500),
    `${listener}/kid`,
    null,
    0,
    1,
    true,
    [],
    [jwk.kid],
    {},
    { toString: jwk.kid },
    undefined,
  ];
  return {
    'a strange key under our kid': by(stranger),
    'a strange key under its own kid': by(stranger, { kid: stranger.kid }),
    'a strange key that the header brings': by(stranger, { jwk: strange }),
    'a strange key that the header brings, its own kid': by(stranger, {
      kid: stranger.kid,
      jwk: strange,
    }),
    'a strange key that the header brings, no kid': by(stranger, { kid: undefined, jwk: strange }),
    ...table(['jku', 'x5u'], (name) => [
      `a strange key that the header points to by ${name}`,
      by(stranger, { kid: stranger.kid, [name]: `${listener}/${name}` }),
    ]),
    'a strange key and its certificate': by(stranger, { x5c: ['AAAA'], x5t: 'AAAA' }),
    'our key, brought by the header': forger.withHeader({ jwk: public_ }),
    ...table(others, (other) => [`the key of ${other.alg} under our kid`, by(other)]),
    ...table(others, (other) => [
      `our key under the kid of ${other.alg}`,
      forger.withHeader({ kid: other.kid }),
    ]),
    ...table(others, (other) => [
      `our key, alg and kid of ${other.alg}`,
      forger.withHeader({ alg: other.alg, kid: other.kid }),
    ]),
    'the master secret under our kid': forger.signedAs((text) => hmac(text, secretOf(master))),
    'the master secret under its kid': by(master, { alg: 'HS256', kid: master.kid }),
    'our key under the kid of the master secret': forger.withHeader({ kid: master.kid }),
    ...table(Object.entries(own), ([kind, token]) => {
      const [ownHeader, , ownSignature] = token.split('.');
      return [
        `the header and signature of ${kind}`,
        `${ownHeader}.${forger.segments[1]}.${ownSignature}`,
      ];
    }),
    ...table(kids, (kid) => [`kid ${shown(kid)}`, forger.withHeader({ kid })]),
    ...numbers(world),
  };
}

const P256_ORDER = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
const ED25519_ORDER = BigInt('0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed');

const bigOf = (bytes: Buffer) => BigInt(`0x${bytes.toString('hex')}`);
const bytesOf = (number: bigint, length: number) =>
  Buffer.from(number.toString(16).padStart(length * 2, '0'), 'hex');

/** Signatures whose numbers are out of range or of another length (RFC 7518 section 3.4, RFC 8032 section 5.1.7). */
function numbers({ forger, second }: World): Forgeries {
  const real = Buffer.from(forger.segments[2], 'base64url');
  const { length } = real;
  const flip = (at: number) => {
    const copy = Buffer.from(real);
    copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
    return copy;
  };
  const zero = Buffer.alloc(length);
  const cut = [1, 2, length / 2, length - 1].map((size) => real.subarray(0, size));
  const forgeries: Forgeries = {
    'a first bit flipped': forger.signedAs(flip(0)),
    'a middle bit flipped': forger.signedAs(flip(length / 2)),
    'a last bit flipped': forger.signedAs(flip(length - 1)),
    'all zero': forger.signedAs(zero),
    'all ones': forger.signedAs(Buffer.alloc(length, 255)),
    one: forger.signedAs(bytesOf(1n, length)),
    reversed: forger.signedAs(Buffer.from(real).reverse()),
    'the signature of another token': forger.signedAs(
      Buffer.from(second.split('.')[2] ?? '', 'base64url'),
    ),
    'a zero byte before': forger.signedAs(Buffer.concat([Buffer.alloc(1), real])),
    'a zero byte after': forger.signedAs(Buffer.concat([real, Buffer.alloc(1)])),
    twice: forger.signedAs(Buffer.concat([real, real])),
    'a kilobyte': forger.signedAs(Buffer.alloc(1_024, 1)),
    'the text of the signature': forger.signedAs(Buffer.from(forger.segments[2])),
    ...table(cut, (bytes) => [`${bytes.length} bytes of it`, forger.signedAs(bytes)]),
  };
  const { jwk } = forger;
  if (jwk.kty === 'EC') {
    const [r, s] = [real.subarray(0, 32), real.subarray(32)];
    const n = bytesOf(P256_ORDER, 32);
    const [none, one] = [bytesOf(0n, 32), bytesOf(1n, 32)];
    const pairs: Record<string, Buffer[]> = {
      'r = 0': [none, s],
      's = 0': [r, none],
      'r = n': [n, s],
      's = n': [r, n],
      'r = s = n': [n, n],
      'r = s = 1': [one, one],
      'r = n, s = 1': [n, one],
      'r = n - 1': [bytesOf(P256_ORDER - 1n, 32), s],
      'r and s changed round': [s, r],
      's for r': [s, s],
      'r for s': [r, r],
      'r negated': [bytesOf(P256_ORDER - bigOf(r), 32), s],
      'r wider': [Buffer.alloc(1), r, Buffer.alloc(1), s],
    };
    for (const [name, parts] of Object.entries(pairs))
      forgeries[name] = forger.signedAs(Buffer.concat(parts));
    const integer = (bytes: Buffer) =>
      Buffer.concat([Buffer.from([2, bytes.length + 1, 0]), bytes]);
    const sequence = Buffer.concat([integer(r), integer(s)]);
    forgeries['DER'] = forger.signedAs(
      Buffer.concat([Buffer.from([0x30, sequence.length]), sequence]),
    );
    forgeries['DER of zeros'] = forger.signedAs(Buffer.from('3006020100020100', 'hex'));
  }
  if (jwk.kty === 'OKP') {
    const [point, scalar] = [real.subarray(0, 32), real.subarray(32)];
    const littleEndian = (number: bigint) => bytesOf(number, 32).reverse();
    const s = bigOf(Buffer.from(scalar).reverse());
    const identity = littleEndian(1n);
    const x = Buffer.from(String(jwk['x']), 'base64url');
    for (const times of [1n, 2n, 15n]) {
      const twin = s + times * ED25519_ORDER;
      if (twin < 1n << 256n)
        forgeries[`S + ${times} L`] = forger.signedAs(Buffer.concat([point, littleEndian(twin)]));
    }
    forgeries['the neutral point, S = 0'] = forger.signedAs(
      Buffer.concat([identity, Buffer.alloc(32)]),
    );
    forgeries['the public key for R'] = forger.signedAs(Buffer.concat([x, scalar]));
    forgeries['the halves changed round'] = forger.signedAs(Buffer.concat([scalar, point]));
    forgeries['S = L'] = forger.signedAs(Buffer.concat([point, littleEndian(ED25519_ORDER)]));
  }
  if (jwk.kty === 'RSA') {
    const n = Buffer.from(String(jwk['n']), 'base64url');
    forgeries['the modulus'] = forger.signedAs(n);
    forgeries['the modulus less one'] = forger.signedAs(bytesOf(bigOf(n) - 1n, length));
    forgeries['the modulus less the signature'] = forger.signedAs(
      bytesOf(bigOf(n) - bigOf(real), length),
    );
    const twin = bigOf(real) + bigOf(n);
    if (twin < 1n << BigInt(length * 8))
      forgeries['the signature and the modulus'] = forger.signedAs(bytesOf(twin, length));
    forgeries['the padded hash itself'] = forger.signedAs(
      Buffer.concat([Buffer.from([0, 1]), Buffer.alloc(length - 35, 255), Buffer.alloc(33)]),
    );
  }
  return Object.fromEntries(
    Object.entries(forgeries).map(([name, token]) => [`signature: ${name}`, token]),
  );
}

/** `header`: signed by the real key, but a member is missing, unknown or of another type. */
function headers({ forger, listener, stranger }: World): Forgeries {
  const { header } = forger;
  const json = JSON.stringify(header);
  const typs = [
    'JWT',
    'jwt',
    'AT+JWT',
    'At+jwt',
    'at+JWT',
    'application/at+jwt',
    'at+jwt ',
    ' at+jwt',
    'at+jwt;v=1',
    'at jwt',
    'at+jwt\0',
    'at+jws',
    'JOSE',
    'JOSE+JSON',
    'id_token',
    'refresh+jwt',
    'device+jwt',
    'sign-up+jwt',
    'email+jwt',
    'reset+jwt',
    'mfa+jwt',
    'revocations+jwt',
    'dpop+jwt',
    'logout+jwt',
    'secevent+jwt',
    'token-introspection+jwt',
    'oauth-authz-req+jwt',
    'at',
    '',
    null,
    0,
    true,
    [],
    ['at+jwt'],
    {},
    undefined,
  ];
  const crits = [
    [],
    ['exp'],
    ['x'],
    ['b64'],
    ['alg'],
    ['crit'],
    ['x', 'x'],
    [''],
    [1],
    [[]],
    '',
    'exp',
    null,
    0,
    1,
    false,
    true,
    {},
  ];
  const members: Json[] = [
    { b64: false },
    { b64: true },
    { b64: null },
    { b64: false, crit: ['b64'] },
    { zip: 'DEF' },
    { zip: 'GZIP' },
    { zip: '' },
    { cty: 'JWT' },
    { enc: 'A256GCM' },
    { enc: 'none' },
    { epk: {} },
    { p2c: 1e9, p2s: 'x' },
    { iss: 'x' },
    { exp: 0 },
    { nonce: 'x' },
    { ppt: 'shaken' },
    { svt: [] },
    { url: `${listener}/url` },
    { jku: `${listener}/jwks.json` },
    { jku: `${listener}/jwks.json`, kid: 'theirs' },
    { jku: 'file:///dev/zero' },
    { jku: [] },
    { x5u: `${listener}/x5u.pem` },
    { x5u: null },
    { x5c: [] },
    { x5c: ['AAAA'] },
    { x5t: '' },
    { 'x5t#S256': 'AAAA' },
    { jwk: {} },
    { jwk: null },
    { jwk: stranger },
    { trust_chain: ['x'] },
    { __proto__x: 1 },
    { '': '' },
  ];
  const texts: Record<string, string | Buffer> = {
    'its members in another order': JSON.stringify(
      Object.fromEntries(Object.entries(header).reverse()),
    ),
    'a space before': ` ${json}`,
    'a newline after': `${json}\n`,
    'a space within': json.replace(',', ', '),
    'a BOM': `\ufeff${json}`,
    'a NUL after': `${json}\0`,
    'a trailing comma': json.replace('}', ',}'),
    'a comment': json.replace('{', '{/**/'),
    'single quotes': json.replaceAll('"', "'"),
    'an escaped letter': json.replace('at+jwt', 'at\\u002bjwt'),
    'an escaped name': json.replace('"alg"', '"\\u0061lg"'),
    'alg twice, none first': json.replace('{', '{"alg":"none",'),
    'alg twice, none last': json.replace('}', ',"alg":"none"}'),
    'alg twice, the same': json.replace('{', `{"alg":${JSON.stringify(header['alg'])},`),
    'kid twice': json.replace('{', '{"kid":"x",'),
    'typ twice': json.replace('}', ',"typ":"JWT"}'),
    __proto__: json.replace('}', ',"__proto__":{"alg":"none"}}'),
    'all of it under __proto__': `{"__proto__":${json}}`,
    'bytes that are no UTF-8': Buffer.concat([
      Buffer.from(json.slice(0, -1)),
      Buffer.from([0x2c, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d]),
    ]),
    UTF16: Buffer.from(json, 'utf16le'),
    'a list': `[${json}]`,
    'an empty list': '[]',
    'an empty object': '{}',
    'a string': JSON.stringify(json),
    null: 'null',
    true: 'true',
    'a number': '1',
    nothing: '',
    'half of it': json.slice(0, 20),
    'two of it': json + json,
    'a hundred brackets': '['.repeat(100),
    'a thousand levels': `${'{"a":'.repeat(300)}1${'}'.repeat(300)}`,
  };
  return {
    ...table(typs, (typ) => [`typ ${shown(typ)}`, forger.withHeader({ typ })]),
    ...table(crits, (crit) => [`crit ${shown(crit)}`, forger.withHeader({ crit })]),
    ...table(crits.filter(Array.isArray), (crit) => [
      `crit ${shown(crit)} and its members`,
      forger.withHeader({ crit, exp: 1, x: 1, b64: true }),
    ]),
    ...table(members, (extra) => [shown(extra), forger.withHeader(extra)]),
    ...table(Object.entries(texts), ([name, text]) => [
      `text: ${name}`,
      forger.make({ header: text }),
    ]),
    // An unencoded payload, signed as RFC 7797 requires.
    'b64 false, honestly': (() => {
      const head = encode({ ...header, b64: false, crit: ['b64'] });
      return `${forger.sign(`${head}.x`)}`;
    })(),
  };
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Another text for the same bytes: the unused bits of the last character are set (RFC 4648 section 3.5). */
export function unusedBits(segment: string): string[] {
  const unused = [0, 0, 4, 2][segment.length % 4] as number;
  const last = ALPHABET.indexOf(segment.at(-1) as string);
  return Array.from(
    { length: 2 ** unused - 1 },
    (_, bits) => `${segment.slice(0, -1)}${ALPHABET[last ^ (bits + 1)]}`,
  );
}

/** `form`: the same bytes in another encoding, or another serialization. */
function forms({ forger, second }: World): Forgeries {
  const { token, segments } = forger;
  const [header, claims, mark] = segments;
  const [otherHeader, otherClaims, otherMark] = second.split('.');
  const standard = (segment: string) => segment.replaceAll('-', '+').replaceAll('_', '/');
  const flattened = JSON.stringify({ protected: header, payload: claims, signature: mark });
  // A claim of such a length that the last character has unused bits.
  const roomy = ['', 'x', 'xx']
    .map((pad) =>
      forger.input({ claims: { ...forger.claims, jti: `${forger.claims['jti']}${pad}` } }),
    )
    .find(
      (input) =>
        input.split('.')[1]?.length !== undefined &&
        (input.split('.')[1] as string).length % 4 === 2,
    ) as string;
  const [roomyHeader, roomyClaims] = roomy.split('.') as [string, string];
  const twists: string[][] = [
    [],
    [header],
    [header, claims],
    [header, claims, ''],
    [header, '', mark],
    ['', claims, mark],
    ['', '', ''],
    [header, '', ''],
    ['', '', mark],
    [header, claims, mark, ''],
    ['', header, claims, mark],
    [header, claims, '', mark],
    [header, claims, mark, mark],
    [header, claims, mark, header, claims, mark],
    [header, claims, mark, '', ''],
    [claims, header, mark],
    [mark, claims, header],
    [header, mark, claims],
    [header, header, mark],
    [header, claims, claims],
    [header, otherClaims ?? '', mark],
    [header, claims, otherMark ?? ''],
    [`${header}${header}`, claims, mark],
    [header, `${claims}${claims}`, mark],
    [header, claims, `${mark}${mark}`],
    [`${header}.`, claims, mark],
    [header, claims, mark, otherHeader ?? '', otherClaims ?? '', otherMark ?? ''],
    // Five parts: a JWE (RFC 7516 section 7.1).
    [encode({ alg: 'dir', enc: 'A256GCM' }), '', 'AAAA', claims, 'AAAA'],
    [header, '', 'AAAA', claims, mark],
  ];
  const marks: Record<string, (segment: string) => string> = {
    'padded by =': (segment) => `${segment}=`,
    'padded by ==': (segment) => `${segment}==`,
    'an = before': (segment) => `=${segment}`,
    'a character more': (segment) => `${segment}A`,
    'four characters more': (segment) => `${segment}AAAA`,
    'a character less': (segment) => segment.slice(0, -1),
    'a character less at the front': (segment) => segment.slice(1),
    'a + within': (segment) => `${segment.slice(0, 8)}+${segment.slice(9)}`,
    'a / within': (segment) => `${segment.slice(0, 8)}/${segment.slice(9)}`,
    'a ~ within': (segment) => `${segment.slice(0, 8)}~${segment.slice(8)}`,
    'an = within': (segment) => `${segment.slice(0, 8)}=${segment.slice(8)}`,
    'a space within': (segment) => `${segment.slice(0, 8)} ${segment.slice(8)}`,
    'a tab within': (segment) => `${segment.slice(0, 8)}\t${segment.slice(8)}`,
    'a percent escape': (segment) => `%${segment.charCodeAt(0).toString(16)}${segment.slice(1)}`,
    'a * within': (segment) => `${segment.slice(0, 8)}*${segment.slice(8)}`,
    'in capitals': (segment) => segment.toUpperCase(),
    'in small letters': (segment) => segment.toLowerCase(),
    reversed: (segment) => [...segment].reverse().join(''),
    'encoded twice': encode,
    'in hex': (segment) => Buffer.from(segment, 'base64url').toString('hex'),
    'in the other alphabet': (segment) => {
      const other = standard(segment);
      return other === segment ? `${segment}+` : other;
    },
  };
  return {
    ...Object.fromEntries(
      twists.map((parts) => [
        `segments ${parts.map((part) => (part === '' ? '_' : part.slice(0, 3))).join('.')}/${parts.length}:${parts.join('').length}`,
        parts.join('.'),
      ]),
    ),
    ...Object.fromEntries(
      Object.entries(marks).flatMap(([name, change]) =>
        segments.map((segment, at) => [
          `segment ${at}, ${name}`,
          segments.map((part, index) => (index === at ? change(segment) : part)).join('.'),
        ]),
      ),
    ),
    ...table(unusedBits(mark), (text) => [
      `signature with spare bits ${text.slice(-1)}`,
      `${header}.${claims}.${text}`,
    ]),
    ...table(unusedBits(header), (text) => [
      `header with spare bits ${text.slice(-1)}`,
      forger.sign(`${text}.${claims}`),
    ]),
    ...table(unusedBits(roomyClaims), (text) => [
      `claims with spare bits ${text.slice(-1)}`,
      forger.sign(`${roomyHeader}.${text}`),
    ]),
    'the claims padded, and signed so': forger.sign(`${header}.${claims}=`),
    'the claims with a newline, and signed so': forger.sign(
      `${header}.${claims.slice(0, 8)}\n${claims.slice(8)}`,
    ),
    'the claims as JSON, and signed so': forger.sign(`${header}.${JSON.stringify(forger.claims)}`),
    'detached, and signed so': forger.sign(`${header}.`),
    'flattened JSON': flattened,
    'flattened JSON, encoded': encode(flattened),
    'general JSON': JSON.stringify({
      payload: claims,
      signatures: [{ protected: header, signature: mark }],
    }),
    quoted: `"${token}"`,
    'in angle brackets': `<${token}>`,
    'as a parameter': `token=${token}`,
    'as a list': `${token},`,
    'with a comma before': `,${token}`,
    'a semicolon after': `${token};`,
    'a dot before': `.${token}`,
    'a dot after': `${token}.`,
    'a space before': ` ${token}`,
    'a tab before': `\t${token}`,
    'two tokens': `${token} ${second}`,
    'two tokens with a comma': `${token}, ${second}`,
    'the scheme twice': `Bearer ${token}`,
    'encoded once more': encode(token),
    nothing: '',
    'one character': 'x',
    'dots alone': '..',
    'many dots': '.'.repeat(4_000),
    '4,097 characters': `${header}.${'A'.repeat(4_097 - header.length - mark.length - 2)}.${mark}`,
    '15,000 characters': 'A'.repeat(15_000),
    'over 4 KB, and signed so': forger.withClaims({ sub: 'x'.repeat(4_000) }),
  };
}

/** `claim`: signed by the real key, but one claim is missing, unknown, of another type or for another service. */
function claims({ forger, now }: World): Forgeries {
  const { claims } = forger;
  const [issuer, audience] = [String(claims['iss']), String(claims['aud'])];
  const json = JSON.stringify(claims);
  const thumbprint = 'x'.repeat(43);
  const anyType = [null, '', 0.5, -1, 1e300, true, false, {}, { 0: 'x' }, [[]], [null]];
  const notText = [...anyType, 0, 1, [], ['x']];
  const notNumber = [...anyType, 'x', [], ['1'], 'NaN', 'Infinity'];
  const notList = ['x', null, '', 1, true, {}, [null], [1], [''], [['x']], [{}]];
  const instants = (value: unknown) => [
    `${value}`,
    [value],
    { 0: value },
    Number(value) + 0.5,
    Number(value) * 1_000_000,
  ];
  const lookalikes = (text: string) => [
    `${text}/`,
    `${text}.`,
    `${text}#`,
    `${text}?`,
    `${text} `,
    ` ${text}`,
    `${text}\0`,
    `${text}\n`,
    `${text}:443`,
    `${text}.evil.example`,
    text.slice(0, -1),
    text.slice(1),
    text.toUpperCase(),
    text.replace('https', 'HTTPS'),
    text.replace('https', 'http'),
    text.replace('example', 'ex\u0430mple'),
    text.replace('e', '\u00e9'),
    `\u200b${text}`,
    `${text}${text}`,
    '*',
    '.*',
    'https://evil.example',
    'null',
    'undefined',
    [text],
    [text, text],
    ['https://evil.example', text],
    [text, 'https://evil.example'],
    [text, 1],
    [[text]],
    { 0: text },
    { [text]: true },
  ];
  const values: Record<string, unknown[]> = {
    iss: [...notText, ...lookalikes(issuer), audience],
    aud: [...notText, ...lookalikes(audience), issuer, `${'a'.repeat(1_500)}!`],
    sub: [...notText, [claims['sub']], { 0: claims['sub'] }],
    client_id: notText,
    jti: [...notText, [claims['jti']]],
    sid: [...notText, [claims['sid']]],
    ver: [...notNumber, '0', [0]],
    iat: [...notNumber, ...instants(claims['iat']), now + 6, now + 3_600],
    exp: [...notNumber, ...instants(claims['exp']), now + 901, now + 315_360_000, 253_402_300_799],
    nbf: [...notNumber, ...instants(now), now + 6, now + 3_600, 253_402_300_800],
    auth_time: [...notNumber, ...instants(claims['auth_time'])],
    roles: [...notList, { 0: 'admin' }],
    amr: notList,
    // Of a token that is bound to a key (RFC 9449): what is not one would be taken as a bearer token.
    cnf: [
      ...notText,
      ...[
        { jkt: 'x' },
        { jkt: '' },
        { jkt: null },
        { jkt: [thumbprint] },
        { jkt: `${thumbprint}=` },
      ],
      ...[{ JKT: thumbprint }, { jwk: {} }, { 'x5t#S256': thumbprint }, [thumbprint], thumbprint],
      { jkt: thumbprint, 'x5t#S256': thumbprint },
    ],
  };
  const unknown: Json = {
    role: 'admin',
    admin: true,
    scope: 'admin',
    scp: ['admin'],
    cnf: { jkt: 'x' },
    act: { sub: 'x' },
    email: 'ada@example.com',
    nonce: 'x',
    at_hash: 'x',
    azp: 'x',
    events: {},
    typ: 'at+jwt',
    alg: 'none',
    kid: 'x',
    toString: 1,
    constructor: { name: 'x' },
    Sub: claims['sub'],
    SUB: claims['sub'],
    'sub ': claims['sub'],
    '': '',
  };
  const instant = (value: string) => json.replace(`"exp":${claims['exp']}`, `"exp":${value}`);
  const texts: Record<string, string | Buffer> = {
    nothing: '',
    null: 'null',
    true: 'true',
    'a number': '1',
    'a string': JSON.stringify(json),
    'an empty list': '[]',
    'an empty object': '{}',
    'a list of it': `[${json}]`,
    'half of it': json.slice(0, -10),
    'two of it': `${json}${json}`,
    'sub twice, the right one last': json.replace('{', '{"sub":"x",'),
    'sub twice, the right one first': json.replace(/}$/, ',"sub":"x"}'),
    'roles twice': json.replace(/}$/, ',"roles":["admin"]}'),
    'exp twice': json.replace(/}$/, `,"exp":${now + 900}}`),
    'a name escaped, so that it appears twice': json.replace('{', '{"\\u0073ub":"x",'),
    'an escaped letter': json.replace('"sub"', '"\\u0073ub"'),
    'an escaped slash': json.replace('https://', 'https:\\/\\/'),
    '__proto__ with roles': json.replace(/}$/, ',"__proto__":{"roles":["admin"]}}'),
    'all of it under __proto__': `{"__proto__":${json}}`,
    '__proto__ is null': json.replace(/}$/, ',"__proto__":null}'),
    'a space before': ` ${json}`,
    'a space after': `${json} `,
    'a newline within': json.replace(',', ',\n'),
    'a BOM': `\ufeff${json}`,
    'a NUL after': `${json}\0`,
    'a trailing comma': json.replace(/}$/, ',}'),
    'a comment': json.replace('{', '{/**/'),
    'single quotes': json.replaceAll('"', "'"),
    'UTF-16': Buffer.from(json, 'utf16le'),
    'an overlong slash': Buffer.from(json.replace('"sub":"', '"sub":"\u00c0\u00af'), 'latin1'),
    'a byte that is no UTF-8': Buffer.from(json.replace('"sub":"', '"sub":"\u00ff'), 'latin1'),
    'a lone surrogate': json.replace('"sub":"', '"sub":"\\uD800'),
    'exp 1e400': instant('1e400'),
    'exp -0': instant('-0'),
    'exp with a fraction of nothing': instant(`${claims['exp']}.0`),
    'exp with an exponent': instant(`${claims['exp']}e0`),
    'exp with a leading zero': instant(`0${claims['exp']}`),
    'exp with a plus': instant(`+${claims['exp']}`),
    'exp in hex': instant(`0x${Number(claims['exp']).toString(16)}`),
    'exp NaN': instant('NaN'),
    'exp Infinity': instant('Infinity'),
    'exp of 400 digits': instant('9'.repeat(400)),
    'five hundred levels': json.replace(/}$/, `,"x":${'['.repeat(200)}${']'.repeat(200)}}`),
  };
  return {
    ...table(Object.keys(claims), (name) => [
      `no ${name}`,
      forger.withClaims({ [name]: undefined }),
    ]),
    ...Object.fromEntries(
      Object.entries(values).flatMap(([name, list]) =>
        list.map((value, index) => [
          `${name} ${shown(value)}#${index}`,
          forger.withClaims({ [name]: value }),
        ]),
      ),
    ),
    ...table(Object.entries(unknown), ([name, value]) => [
      `unknown ${name}`,
      forger.make({ claims: { ...claims, [name]: value } }),
    ]),
    ...table(Object.entries(texts), ([name, text]) => [
      `text: ${name}`,
      forger.make({ claims: text }),
    ]),
    'other roles under the real signature': `${forger.segments[0]}.${encode({ ...claims, roles: ['admin'] })}.${forger.segments[2]}`,
    'another subject under the real signature': `${forger.segments[0]}.${encode({ ...claims, sub: 'x' })}.${forger.segments[2]}`,
    'a later exp under the real signature': `${forger.segments[0]}.${encode({ ...claims, iat: now + 1, exp: now + 901 })}.${forger.segments[2]}`,
    'expired, and for another audience': forger.withClaims({
      iat: now - 900,
      exp: now,
      aud: issuer,
    }),
    'expired, with the signature of other claims': `${forger.input({ claims: { ...claims, iat: now - 900, exp: now } })}.${forger.segments[2]}`,
  };
}

/** `kind`: a valid token of another kind, or the claims of one kind with the `typ` of another. */
function kinds({ forger, own, stranger, now }: World): Forgeries {
  const { claims, header } = forger;
  const idToken = {
    iss: claims['iss'],
    aud: 'client',
    sub: claims['sub'],
    iat: now,
    exp: now + 900,
    nonce: 'x',
  };
  const forgeries: Forgeries = {
    'an ID token of our key': forger.make({ header: { ...header, typ: 'JWT' }, claims: idToken }),
    'an ID token that says it is an access token': forger.make({ claims: idToken }),
    'an assertion for the token endpoint': forger.make({
      header: { ...header, typ: 'JWT' },
      claims: {
        iss: claims['sub'],
        sub: claims['sub'],
        aud: claims['iss'],
        jti: 'x',
        iat: now,
        exp: now + 60,
      },
    }),
    'a DPoP proof': forger.make({
      header: { ...header, typ: 'dpop+jwt', jwk: {} },
      claims: { jti: 'x', htm: 'GET', htu: claims['iss'], iat: now },
    }),
    'a revocation list': forger.make({
      header: { ...header, typ: 'revocations+jwt' },
      claims: { iss: claims['iss'], iat: now, exp: now + 60, sessions: [], users: {} },
    }),
    'a logout token': forger.make({
      header: { ...header, typ: 'logout+jwt' },
      claims: { ...claims, events: { 'http://schemas.openid.net/event/backchannel-logout': {} } },
    }),
    'a token of another deployment, with keys of its own': (() => {
      const input = forger.input({ header: { ...header, kid: stranger.kid } });
      return `${input}.${encode(signature(input, stranger))}`;
    })(),
    'an API key': 'sk_live_0123456789abcdef0123456789abcdef',
    'basic credentials': Buffer.from('ada@example.com:password').toString('base64'),
    'a password': 'hunter2',
  };
  for (const [kind, token] of Object.entries(own)) {
    const [ownHeader = '', ownClaims = '', ownSignature = ''] = token.split('.');
    forgeries[`a ${kind} token`] = token;
    forgeries[`a ${kind} token, its claims signed as an access token's`] = forger.sign(
      `${forger.segments[0]}.${ownClaims}`,
    );
    forgeries[`a ${kind} token, signed by the access key`] = forger.sign(
      `${ownHeader}.${ownClaims}`,
    );
    forgeries[`access claims in the name of ${kind}`] = forger.sign(
      `${ownHeader}.${forger.segments[1]}`,
    );
    forgeries[`a ${kind} token under our header`] =
      `${forger.segments[0]}.${ownClaims}.${ownSignature}`;
  }
  return forgeries;
}

const FORGED = {
  algorithm: algorithms,
  key: keys,
  header: headers,
  form: forms,
  claim: claims,
  kind: kinds,
};
export type Trait = keyof typeof FORGED;

/** The forgeries of this group, by name. In each, exactly one thing is wrong. */
export const forgeries = (trait: Trait, world: World): [string, string][] =>
  Object.entries(FORGED[trait](world));
