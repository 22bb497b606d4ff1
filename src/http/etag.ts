import { createHash } from 'node:crypto';
import { z } from 'zod';

/** The entity tag of a text (RFC 9110 section 8.8.3), in its quotes. */
export const etagOf = (text: string): string =>
  `"${createHash('sha256').update(text).digest('base64url')}"`;

/** For the schema of the headers. */
export const IfNoneMatch = {
  'if-none-match': z.string().optional().describe('The `ETag` of an earlier answer.'),
};

const withoutWeak = (tag: string): string => tag.trim().replace(/^W\//, '');

/**
 * Whether the client already has this answer, so that 304 is enough. The comparison is weak (RFC 9110 section 13.1.2): a
 * proxy that compresses makes a tag weak.
 */
export function hasAnswer(
  { 'if-none-match': known = '' }: { 'if-none-match'?: string | undefined },
  etag: string,
): boolean {
  return known === '*' || known.split(',').map(withoutWeak).includes(withoutWeak(etag));
}
