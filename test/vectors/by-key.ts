import { createPublicKey } from 'node:crypto';
import type { PrivateJwk } from '../../src/schemas/jwk.ts';
import { encode, type Forger, hmac, type Json, publicKeyOf, signature } from '../attacks/forger.ts';
import type { Row } from './valid.ts';
import type { VectorAlgorithm } from './vectors.ts';

export function ofAlgorithm({ header, jwk, segments, input, signedAs }: Forger): Row[] {
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

export function ofKey({ header, input }: Forger, stranger: PrivateJwk): Row[] {
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
