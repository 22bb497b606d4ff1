import { invalid } from './token-error.ts';

type Json = Record<string, unknown>;

export interface Jws {
  header: Json;
  claims: Json;
  /** What the signature covers. */
  input: Uint8Array<ArrayBuffer>;
  signature: Uint8Array<ArrayBuffer>;
}

const FOREIGN = /[^\w-]/;

/** What remains after the last group of four, with its unused bits zero (RFC 4648 section 3.5): one spelling for each token. */
const TAIL = /^(?:|[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])$/;

/** The bytes of canonical base64url without padding (RFC 7515 section 2). */
export const bytesOf = (segment: string): Uint8Array<ArrayBuffer> => {
  if (FOREIGN.test(segment) || !TAIL.test(segment.slice(segment.length - (segment.length % 4))))
    throw invalid('not base64url');
  const text = atob(segment.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return bytes;
};

const objectOf = (segment: string): Json => {
  const bytes = bytesOf(segment);
  let value: unknown;
  try {
    // A byte-order mark is kept, so that JSON.parse refuses it.
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    throw invalid('not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid('not an object');
  return value as Json;
};

/** The parts of a JWS in compact form, not verified. Refuses another `typ`, and headers that change how it is read. */
export const parsed = (token: string, typ: RegExp): Jws => {
  const segments = token.split('.');
  const [first = '', second = '', third = ''] = segments;
  if (segments.length !== 3) throw invalid('not three segments');
  const header = objectOf(first);
  if (typeof header['typ'] !== 'string' || !typ.test(header['typ'])) throw invalid('typ');
  // RFC 7515 section 4.1.11, RFC 7797, RFC 7516 section 4.1.3.
  for (const name of ['crit', 'b64', 'zip']) if (name in header) throw invalid(name);
  return {
    header,
    claims: objectOf(second),
    input: new TextEncoder().encode(`${first}.${second}`),
    signature: bytesOf(third),
  };
};
