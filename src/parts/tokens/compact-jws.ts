import { bytesOfBase64url } from '../base64url.ts';

/** Longer tokens are refused unread (characters). */
export const MAX_TOKEN_LENGTH = 4_096;

/**
 * Whether `token` is in the canonical form that this service writes: three segments of canonical base64url (RFC 7515
 * section 7.1), and claims that give the same bytes when parsed and serialised again. So no token has a second
 * spelling: padding, white space, unused bits, invalid UTF-8, a byte-order mark, duplicate members and numbers beyond
 * a double are refused.
 */
export function isOurForm(token: string): boolean {
  const [header, claims, signature, ...more] = token.split('.');
  if (!header || !claims || !signature || more.length > 0) return false;
  const bytes = bytesOfBase64url(claims);
  if (bytes === undefined || bytesOfBase64url(signature) === undefined) return false;
  try {
    return Buffer.from(JSON.stringify(JSON.parse(bytes.toString()))).equals(bytes);
  } catch {
    return false;
  }
}

export const headerOf = (token: string): string => token.slice(0, token.indexOf('.'));
