/** What is wrong with an origin as a browser sends it (scheme, host, port), and what to write instead. */
export function faultOfOrigin(text: string): string | undefined {
  if (text === '*') return 'must not be *: list each origin, such as https://app.example.com';
  if (text === 'null')
    return 'must not have null, which every sandboxed page sends: serve the page from an address, and list that';
  if (!/^https?:\/\/[^/]/i.test(text)) return 'must list origins such as https://app.example.com';
  if (text.includes('*'))
    return 'has a *, which no browser sends: list each origin, such as https://a.example.com,https://b.example.com';
  if (/^[^/]*\/\/[^/]+\/$/.test(text)) return 'must be without the slash at its end';
  if (/^[^/]*\/\/[^/?#@]*[/?#@]/.test(text))
    return 'must have the origin alone, such as https://app.example.com: no user, path, query or fragment';
  if (text !== text.toLowerCase()) return 'must be in lower case, as browsers send it';
  if (/^(https:.*:443|http:.*:80)$/.test(text))
    return 'must be without :443 after https and :80 after http: browsers leave them out';
  if (!URL.canParse(text) || new URL(text).origin !== text)
    return 'must be written as browsers send it: the host in its ASCII form (xn--…), an IPv6 address in brackets and shortened, a port without zeros in front';
  return undefined;
}
