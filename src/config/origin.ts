/** Says what is wrong with an origin (scheme, host, port, as browsers send it) and what to write instead. undefined: valid. */
export function faultOfOrigin(text: string): string | undefined {
  if (text === '*') return 'must not be *: list each origin, such as https://app.example.com';
  if (text === 'null')
    return 'must not be null, which every sandboxed page sends: serve the page from its own origin and list that';
  if (!/^https?:\/\/[^/]/i.test(text)) return 'must list origins such as https://app.example.com';
  if (text.includes('*'))
    return 'must not contain *: list each origin, such as https://a.example.com,https://b.example.com';
  if (/^[^/]*\/\/[^/]+\/$/.test(text)) return 'must not end with a slash';
  if (/^[^/]*\/\/[^/?#@]*[/?#@]/.test(text))
    return 'must be an origin such as https://app.example.com, without user, path, query or fragment';
  if (text !== text.toLowerCase()) return 'must be in lower case, as browsers send it';
  if (/^(https:.*:443|http:.*:80)$/.test(text))
    return 'must not have the default port (:443 for https, :80 for http): browsers omit it';
  if (!URL.canParse(text) || new URL(text).origin !== text)
    return 'must be written as browsers send it: the host in ASCII (xn--…), an IPv6 address compressed and in brackets, a port without leading zeros';
  return undefined;
}
