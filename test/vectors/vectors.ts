import { createPublicKey, type JsonWebKey } from 'node:crypto';
import type { PrivateJwk, SigningAlgorithm } from '../../src/schemas/jwk.ts';
import { encode, Forger, hmac, type Json, publicKeyOf, signature } from '../attacks/forger.ts';

export const ALGORITHMS = ['ES256', 'RS256', 'PS256', 'EdDSA'] satisfies SigningAlgorithm[];
export type VectorAlgorithm = (typeof ALGORITHMS)[number];

export interface Vector {
  id: string;
  verdict: 'accept' | 'refuse';
  why: string;
  /** What says so. */
  source: string;
  token: string;
}

export interface VectorSet {
  /** Semantic: a changed verdict or token is a new major version, more tokens are a minor one. */
  version: string;
  alg: VectorAlgorithm;
  /** The time at which the verdicts hold (seconds). */
  now: number;
  issuer: string;
  audience: string;
  typ: string;
  jwks: { keys: Record<string, unknown>[] };
  tokens: Vector[];
}

/** The private test keys: the one in the key set, and one that no verifier trusts. */
export type VectorKeys = Record<VectorAlgorithm, { trusted: PrivateJwk; stranger: PrivateJwk }>;

const now = 1_795_456_800;
const issuer = 'https://auth.example.com';
const audience = 'https://api.example.com';
const typ = 'at+jwt';
const sub = '01990d6e-7c3f-7a51-9c6b-0c1d2e3f4a5b';

const CLAIMS: Json = {
  iss: issuer,
  aud: audience,
  sub,
  client_id: 'latchkey',
  iat: now - 60,
  exp: now + 840,
  jti: 'Zr5oDxw0nXw8o7m3yq1eVA',
  sid: 'q83vEjRWeJCrze8SNFZ4kA',
  ver: 0,
  roles: ['editor'],
  amr: ['pwd'],
  auth_time: now - 60,
};

/** What is signed, so that a token whose signature is random need not change when the files are made again. */
const inputOf = (token = '') => token.slice(0, token.lastIndexOf('.') + 1);

/** The set of an algorithm. Keeps the tokens of `previous` whose signed part is the same. */
export function vectorSetOf(
  alg: VectorAlgorithm,
  { trusted, stranger }: VectorKeys[VectorAlgorithm],
  previous?: VectorSet,
): VectorSet {
  const kept = (id: string, token: string) => {
    const old = previous?.tokens.find((vector) => vector.id === id)?.token;
    return old?.includes('.') && inputOf(old) === inputOf(token) ? old : token;
  };
  const input = `${encode({ alg, typ, kid: trusted.kid })}.${encode(CLAIMS)}`;
  const valid = kept('valid', `${input}.${encode(signature(input, trusted))}`);
  const forger = new Forger(valid, trusted);
  const tokens = [
    ...accepted(forger),
    ...ofTime(forger),
    ...ofClaims(forger),
    ...ofKind(forger),
    ...ofAlgorithm(forger),
    ...ofKey(forger, stranger),
    ...ofHeader(forger),
    ...ofSignature(forger),
    ...ofForm(forger),
  ].map(([id, verdict, why, source, token]) => ({
    id,
    verdict,
    why,
    source,
    token: kept(id, token),
  }));
  const { kty, kid, use, crv, x, y, n, e } = trusted as JsonWebKey & PrivateJwk;
  // JSON drops the members that this type of key lacks.
  const key = JSON.parse(JSON.stringify({ kty, use, alg, kid, crv, x, y, n, e }));
  return { version: '1.0.0', alg, now, issuer, audience, typ, jwks: { keys: [key] }, tokens };
}

type Row = [id: string, verdict: Vector['verdict'], why: string, source: string, token: string];

const accepted = ({ token, header, claims, make, withClaims, withHeader }: Forger): Row[] => [
  ['valid', 'accept', 'A valid access token of a user.', 'RFC 9068 section 4', token],
  [
    'service-account',
    'accept',
    'A valid access token of a service account: scope repeats the roles.',
    'RFC 9068 section 2.2.3',
    withClaims({ client_id: sub, amr: [], roles: ['a', 'b'], scope: 'a b' }),
  ],
  [
    'typ-application',
    'accept',
    'The long form of the type at+jwt.',
    'RFC 9068 section 4',
    withHeader({ typ: 'application/at+jwt' }),
  ],
  [
    'aud-list',
    'accept',
    'aud is a list, and this service is in it.',
    'RFC 7519 section 4.1.3',
    withClaims({ aud: ['https://other.example.com', audience] }),
  ],
  [
    'claim-unknown',
    'accept',
    'Claims that are not understood must be ignored.',
    'RFC 7519 section 4',
    withClaims({ unknown: { value: 1 } }),
  ],
  [
    'header-unknown',
    'accept',
    'Header members that are not understood must be ignored, unless crit names them.',
    'RFC 7515 section 4',
    withHeader({ unknown: 1 }),
  ],
  [
    'header-reordered',
    'accept',
    'The members of a header may have any order.',
    'RFC 7515 section 4',
    make({ header: Object.fromEntries(Object.entries(header).reverse()) }),
  ],
  [
    'json-spaces',
    'accept',
    'JSON may contain spaces and line breaks.',
    'RFC 8259 section 2',
    make({ claims: JSON.stringify(claims, null, 2) }),
  ],
  [
    'nbf-now',
    'accept',
    'The current time may be equal to nbf.',
    'RFC 7519 section 4.1.5',
    withClaims({ nbf: now }),
  ],
];

const ofTime = ({ claims, withClaims }: Forger): Row[] => [
  [
    'exp-past',
    'refuse',
    'The token expired an hour ago, which is more than any leeway.',
    'RFC 7519 section 4.1.4',
    withClaims({ iat: now - 4_500, exp: now - 3_600, auth_time: now - 4_500 }),
  ],
  [
    'exp-missing',
    'refuse',
    'An access token without exp would never expire.',
    'RFC 9068 section 2.2',
    withClaims({ exp: undefined }),
  ],
  [
    'exp-text',
    'refuse',
    'exp must be a number.',
    'RFC 7519 section 4.1.4',
    withClaims({ exp: `${claims['exp']}` }),
  ],
  [
    'exp-null',
    'refuse',
    'exp must be a number.',
    'RFC 7519 section 4.1.4',
    withClaims({ exp: null }),
  ],
  [
    'nbf-future',
    'refuse',
    'The token is not valid for another hour, which is more than any leeway.',
    'RFC 7519 section 4.1.5',
    withClaims({ nbf: now + 3_600, exp: now + 4_500 }),
  ],
  [
    'nbf-text',
    'refuse',
    'nbf must be a number.',
    'RFC 7519 section 4.1.5',
    withClaims({ nbf: `${now}` }),
  ],
];

const ofClaims = ({ withClaims, make }: Forger): Row[] => {
  const other = 'https://other.example.com';
  return [
    ['iss-other', 'refuse', 'Another issuer.', 'RFC 9068 section 4', withClaims({ iss: other })],
    [
      'iss-slash',
      'refuse',
      'Issuers are compared exactly.',
      'RFC 9068 section 4',
      withClaims({ iss: `${issuer}/` }),
    ],
    [
      'iss-list',
      'refuse',
      'iss must be a text.',
      'RFC 7519 section 4.1.1',
      withClaims({ iss: [issuer] }),
    ],
    [
      'iss-missing',
      'refuse',
      'An access token must have iss.',
      'RFC 9068 section 2.2',
      withClaims({ iss: undefined }),
    ],
    ['aud-other', 'refuse', 'Another audience.', 'RFC 9068 section 4', withClaims({ aud: other })],
    [
      'aud-longer',
      'refuse',
      'The audience only starts like this service.',
      'RFC 7519 section 4.1.3',
      withClaims({ aud: `${audience}.evil.example` }),
    ],
    [
      'aud-empty',
      'refuse',
      'A list of audiences without this service.',
      'RFC 7519 section 4.1.3',
      withClaims({ aud: [] }),
    ],
    [
      'aud-missing',
      'refuse',
      'An access token must have aud.',
      'RFC 9068 section 2.2',
      withClaims({ aud: undefined }),
    ],
    [
      'sub-missing',
      'refuse',
      'An access token must have sub.',
      'RFC 9068 section 2.2',
      withClaims({ sub: undefined }),
    ],
    [
      'claims-list',
      'refuse',
      'The claims must be a JSON object.',
      'RFC 7519 section 7.2',
      make({ claims: '[]' }),
    ],
    [
      'claims-null',
      'refuse',
      'The claims must be a JSON object.',
      'RFC 7519 section 7.2',
      make({ claims: 'null' }),
    ],
    [
      'claims-no-json',
      'refuse',
      'The claims must be JSON.',
      'RFC 7519 section 7.2',
      make({ claims: `${JSON.stringify(CLAIMS).slice(0, -1)},}` }),
    ],
    [
      'claims-not-utf8',
      'refuse',
      'The claims must be UTF-8.',
      'RFC 7519 section 7.2',
      make({
        claims: Buffer.from(JSON.stringify(CLAIMS).replace('"editor"', '"\u00ff"'), 'latin1'),
      }),
    ],
  ];
};

const ofKind = ({ withHeader }: Forger): Row[] =>
  (
    [
      ['typ-jwt', 'JWT', 'An ID token, for example, has this type.'],
      ['typ-refresh', 'refresh+jwt', 'Another kind of token.'],
      ['typ-missing', undefined, 'An access token must name its type.'],
    ] as const
  ).map(([id, typ, why]) => [id, 'refuse', why, 'RFC 9068 section 4', withHeader({ typ })]);

function ofAlgorithm({ header, jwk, segments, input, signedAs }: Forger): Row[] {
  const with_ = (alg: string, by?: (text: string) => Buffer | string) => {
    const text = input({ header: { ...header, alg } });
    return `${text}.${by === undefined ? '' : encode(by(text))}`;
  };
  const key = publicKeyOf(jwk);
  const pem = String(key.export({ type: 'spki', format: 'pem' }));
  const text = JSON.stringify(
    createPublicKey({ key: jwk, format: 'jwk' }).export({ format: 'jwk' }),
  );
  const [none, confused] = ['RFC 8725 section 3.2', 'RFC 8725 section 2.1'];
  const rows: Row[] = [
    ['alg-none', 'refuse', 'The token is not signed.', none, with_('none')],
    ['alg-none-spelled', 'refuse', 'alg is nOnE, which is no algorithm.', none, with_('nOnE')],
    [
      'alg-none-signed',
      'refuse',
      'alg is none, above a signature.',
      none,
      with_('none', () => Buffer.from(segments[2], 'base64url')),
    ],
    [
      'alg-hs256-pem',
      'refuse',
      'HMAC with the public key in PEM form as the secret.',
      confused,
      with_('HS256', (text) => hmac(text, pem)),
    ],
    [
      'alg-hs256-jwk',
      'refuse',
      'HMAC with the public key in JWK form as the secret.',
      confused,
      with_('HS256', (input) => hmac(input, text)),
    ],
    [
      'alg-hs256-empty',
      'refuse',
      'HMAC with an empty secret.',
      confused,
      with_('HS256', (text) => hmac(text, '')),
    ],
    [
      'alg-kept-hmac',
      'refuse',
      'The header is the right one, above an HMAC with the public key.',
      'RFC 8725 section 3.1',
      signedAs((text) => hmac(text, pem)),
    ],
  ];
  const other = { RS256: 'PS256', PS256: 'RS256', ES256: 'ES384', EdDSA: undefined }[
    jwk.alg as VectorAlgorithm
  ];
  if (other !== undefined)
    rows.push([
      'alg-other',
      'refuse',
      `The key is for ${jwk.alg}, and signed as ${other}.`,
      'RFC 8725 section 3.1',
      with_(other, (text) => signature(text, jwk, other)),
    ]);
  return rows;
}

function ofKey({ header, input }: Forger, stranger: PrivateJwk): Row[] {
  const by = (changes: Json) => {
    const text = input({ header: { ...header, ...changes } });
    return `${text}.${encode(signature(text, stranger))}`;
  };
  const { kid } = stranger;
  const jwk = publicKeyOf(stranger).export({ format: 'jwk' });
  const source = 'RFC 8725 section 3.10';
  return [
    [
      'key-unknown',
      'refuse',
      'Signed by a key that is not in the key set.',
      'RFC 9068 section 4',
      by({ kid }),
    ],
    ['key-stolen-kid', 'refuse', 'Another key, under a known kid.', 'RFC 9068 section 4', by({})],
    [
      'key-no-kid',
      'refuse',
      'Another key, without a kid.',
      'RFC 9068 section 4',
      by({ kid: undefined }),
    ],
    ['key-jwk', 'refuse', 'The header contains the key.', source, by({ kid, jwk })],
    [
      'key-jku',
      'refuse',
      'The header says where the key is. Nothing must be fetched from there.',
      source,
      by({ kid, jku: 'https://attacker.example/jwks.json' }),
    ],
    [
      'key-x5u',
      'refuse',
      'The header says where the certificate is. Nothing must be fetched from there.',
      source,
      by({ kid, x5u: 'https://attacker.example/key.pem' }),
    ],
  ];
}

const ofHeader = ({ withHeader, make, header, sign }: Forger): Row[] => {
  const source = 'RFC 7515 section 4.1.11';
  return [
    [
      'crit-unknown',
      'refuse',
      'crit names a member that no verifier understands.',
      source,
      withHeader({ crit: ['unknown'], unknown: 1 }),
    ],
    ['crit-empty', 'refuse', 'crit must not be empty.', source, withHeader({ crit: [] })],
    [
      'crit-absent',
      'refuse',
      'crit names a member that the header does not have.',
      source,
      withHeader({ crit: ['unknown'] }),
    ],
    ['crit-text', 'refuse', 'crit must be a list.', source, withHeader({ crit: 'exp' })],
    [
      'b64-false',
      'refuse',
      'A JWT must not have an unencoded payload.',
      'RFC 7797 section 7',
      sign(`${encode({ ...header, b64: false, crit: ['b64'] })}.${encode(CLAIMS)}`),
    ],
    [
      'header-list',
      'refuse',
      'The header must be a JSON object.',
      'RFC 7519 section 7.2',
      make({ header: '[]' }),
    ],
  ];
};

function ofSignature({ segments, claims, jwk, withClaims, signedAs }: Forger): Row[] {
  const [header, , mark] = segments;
  const real = Buffer.from(mark, 'base64url');
  const flipped = Buffer.from(real);
  flipped.writeUInt8(flipped.readUInt8(10) ^ 1, 10);
  const source = 'RFC 7515 section 5.2';
  const changed = encode({ ...claims, roles: ['admin'] });
  const otherMark = withClaims({ jti: 'other' }).split('.')[2] ?? '';
  const rows: Row[] = [
    [
      'signature-other-claims',
      'refuse',
      'The roles were changed after signing.',
      source,
      `${header}.${changed}.${mark}`,
    ],
    [
      'signature-flipped',
      'refuse',
      'One bit of the signature is wrong.',
      source,
      signedAs(flipped),
    ],
    [
      'signature-other-token',
      'refuse',
      'The signature of another token.',
      source,
      signedAs(Buffer.from(otherMark, 'base64url')),
    ],
    ['signature-empty', 'refuse', 'No signature.', source, signedAs(Buffer.alloc(0))],
    [
      'signature-cut',
      'refuse',
      'The signature lacks its last byte.',
      source,
      signedAs(real.subarray(0, -1)),
    ],
    [
      'signature-longer',
      'refuse',
      'A byte follows the signature.',
      source,
      signedAs(Buffer.concat([real, Buffer.alloc(1)])),
    ],
    [
      'signature-zero',
      'refuse',
      'All bytes of the signature are zero (CVE-2022-21449).',
      source,
      signedAs(Buffer.alloc(real.length)),
    ],
  ];
  if (jwk.kty === 'EC') {
    const integer = (bytes: Buffer) => Buffer.concat([Buffer.from([2, 33, 0]), bytes]);
    const pair = Buffer.concat([integer(real.subarray(0, 32)), integer(real.subarray(32))]);
    rows.push([
      'signature-der',
      'refuse',
      'The signature is in DER form. It must be R and S, 32 bytes each.',
      'RFC 7518 section 3.4',
      signedAs(Buffer.concat([Buffer.from([0x30, pair.length]), pair])),
    ]);
  }
  if (jwk.kty === 'OKP') {
    const order = BigInt('0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed');
    const scalar = BigInt(`0x${Buffer.from(real.subarray(32)).reverse().toString('hex')}`);
    const twin = Buffer.from((scalar + order).toString(16).padStart(64, '0'), 'hex').reverse();
    rows.push([
      'signature-malleable',
      'refuse',
      'S is not below the order of the group.',
      'RFC 8032 section 5.1.7',
      signedAs(Buffer.concat([real.subarray(0, 32), twin])),
    ]);
  }
  return rows;
}

function ofForm({ token, segments, input }: Forger): Row[] {
  const [header, claims, mark] = segments;
  const [base64url, compact] = ['RFC 7515 section 2', 'RFC 7515 section 7.1'];
  const flattened = { protected: header, payload: claims, signature: mark };
  return [
    ['form-padded', 'refuse', 'base64url has no padding here.', base64url, `${token}==`],
    [
      'form-space',
      'refuse',
      'base64url has no spaces here.',
      base64url,
      `${header}.${claims}.${mark.slice(0, 8)} ${mark.slice(8)}`,
    ],
    [
      'form-newline',
      'refuse',
      'base64url has no line breaks here.',
      base64url,
      `${header}.${claims}.${mark}\n`,
    ],
    [
      'form-foreign-character',
      'refuse',
      '* is no character of base64url.',
      base64url,
      `${header}.${claims}.${mark.slice(0, 8)}*${mark.slice(8)}`,
    ],
    ['form-two-segments', 'refuse', 'The signature is missing.', compact, input()],
    ['form-four-segments', 'refuse', 'There is a fourth segment.', compact, `${token}.${mark}`],
    ['form-dots', 'refuse', 'All segments are empty.', compact, '..'],
    ['form-empty', 'refuse', 'There is no token.', compact, ''],
    [
      'form-json',
      'refuse',
      'A JWT has the compact form, never the JSON form of a JWS.',
      'RFC 7519 section 3',
      JSON.stringify(flattened),
    ],
  ];
}
