import { isIPv6 } from 'node:net';

/**
 * An authority without userinfo: reg-name, IPv4 address or bracketed IPv6 address, and a port (RFC 3986 section
 * 3.2). Excludes the comma, which RFC 3986 allows in a reg-name: it may come from two joined header fields.
 */
const AUTHORITY =
  /^(?:\[(?<v6>[\da-f:.]{2,45})\]|(?:[\w.~!$&'()*+;=-]|%[\da-f]{2}){1,255})(?::(?<port>\d{0,5}))?$/i;

const MAX_PORT = 65_535;

/** Whether the text is a valid host, with or without a port (RFC 9112 section 3.2). */
export function isHost(text: string): boolean {
  const groups = AUTHORITY.exec(text)?.groups;
  if (groups === undefined) return false;
  const { v6, port = '' } = groups;
  return (v6 === undefined || isIPv6(v6)) && Number(port) <= MAX_PORT;
}

/** `isHost`, caching the last valid host: most requests name the same one. */
export function hostCheck(): (text: string) => boolean {
  let known: string | undefined;
  return (text) => {
    if (text === known) return true;
    if (!isHost(text)) return false;
    known = text;
    return true;
  };
}

const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/is;

/** The authority and path of a target in absolute form (RFC 9112 section 3.2.2), or undefined for other forms. */
export function absoluteForm(target: string): { authority: string; path: string } | undefined {
  // The fast path: nearly every target is a path.
  if (target.startsWith('/')) return undefined;
  const [, authority, path] = ABSOLUTE.exec(target) ?? [];
  if (authority === undefined || path === undefined) return undefined;
  return { authority, path: path.startsWith('/') ? path : `/${path}` };
}
