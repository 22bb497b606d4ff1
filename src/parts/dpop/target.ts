const UNRESERVED = /[\w.~-]/;

/**
 * A URL without query and fragment, in one spelling (RFC 3986 sections 6.2.2 and 6.2.3): lower-case scheme and host, no
 * default port, no dot segments, nothing percent-encoded that need not be. undefined if it is no URL of a server.
 */
export function targetOf(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '') return undefined;
  const path = url.pathname.replaceAll(/%[\da-f]{2}/gi, (encoded) => {
    const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
    return UNRESERVED.test(character) ? character : encoded.toUpperCase();
  });
  return `${url.origin}${path}`;
}
