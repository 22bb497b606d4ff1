import type { IncomingMessage } from 'node:http';

/**
 * The request header fields that may appear only once and that Node, Fastify or this service reads. RFC 9110
 * section 5.3: only fields defined as lists may be repeated. For most of these Node silently keeps the first,
 * while a proxy, or the service behind it, may read the last.
 */
const SINGLETONS = [
  'host', // RFC 9112 section 3.2
  'content-length', // RFC 9110 section 8.6
  'content-type', // RFC 9110 section 8.3
  'authorization', // RFC 9110 section 11.6.2
  'proxy-authorization', // RFC 9110 section 11.7.2
  'user-agent', // RFC 9110 section 10.1.5
  'from', // RFC 9110 section 10.1.2
  'referer', // RFC 9110 section 10.1.3
  'max-forwards', // RFC 9110 section 7.6.2
  'if-modified-since', // RFC 9110 section 13.1.3
  'if-unmodified-since', // RFC 9110 section 13.1.4
  'if-range', // RFC 9110 section 13.1.5
  'range', // RFC 9110 section 14.2
  'origin', // RFC 6454 section 7.3
  'cookie', // RFC 6265 section 5.4; only HTTP/2 splits it, and joins it again (RFC 9113 section 8.2.3)
  'idempotency-key', // an Item (draft-ietf-httpapi-idempotency-key-header section 2.1, RFC 9651 section 4.2)
  'dpop', // RFC 9449 section 4.3
  'access-control-request-method', // one method (Fetch standard, section 3.3.2)
];

/** One bit per field. */
const BITS = new Map(SINGLETONS.map((name, index) => [name, 1 << index]));

const sizeOf = (headers: object): number => {
  let size = 0;
  for (const _name in headers) size += 1;
  return size;
};

/** The name of the first repeated singleton field, or undefined. */
export function repeatedSingleton({
  headers,
  rawHeaders,
}: Pick<IncomingMessage, 'headers' | 'rawHeaders'>): string | undefined {
  // Nearly every request: as many names as lines, so no field is repeated.
  if (sizeOf(headers) * 2 === rawHeaders.length) return undefined;
  let seen = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] as string).toLowerCase();
    const bit = BITS.get(name) ?? 0;
    if ((seen & bit) !== 0) return name;
    seen |= bit;
  }
  return undefined;
}
