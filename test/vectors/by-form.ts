import { encode, type Forger } from '../attacks/forger.ts';
import { CLAIMS, type Row } from './valid.ts';

export const ofHeader = ({ withHeader, make, header, sign }: Forger): Row[] => {
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

export function ofSignature({ segments, claims, jwk, withClaims, signedAs }: Forger): Row[] {
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

export function ofForm({ token, segments, input }: Forger): Row[] {
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
