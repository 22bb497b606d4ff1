/** What is wrong with an origin (scheme, host, port) and how to correct it; undefined: it is as browsers send it. */
export function faultOfOrigin(text: string): string | undefined {
  if (text === '*') return 'must not be *: list each origin, such as https://app.example.com';
  if (text === 'null')
    return 'must not contain null, which every sandboxed page sends: serve the page from a URL, and list its origin';
  if (!/^https?:\/\/[^/]/i.test(text)) return 'must list origins such as https://app.example.com';
  if (text.includes('*'))
    return 'has a *, which no browser sends: list each origin, such as https://a.example.com,https://b.example.com';
  if (/^[^/]*\/\/[^/]+\/$/.test(text)) return 'must not have a slash at the end of an origin';
  if (/^[^/]*\/\/[^/?#@]*[/?#@]/.test(text))
    return 'must have origins alone, such as https://app.example.com, without a user, path, query or fragment';
  if (text !== text.toLowerCase()) return 'must be in lower case, as browsers send it';
  if (/^(https.*:443|http:.*:80)$/.test(text))
    return 'must be without :443 after https and :80 after http: browsers leave them out';
  if (!URL.canParse(text) || new URL(text).origin !== text)
    return 'must be written as browsers send it: the host in ASCII (xn--…), an IPv6 address shortened and in brackets, a port without leading zeros';
  return undefined;
}

/** Whether a host is the domain, or a subdomain of it. */
export const isWithin = (host: string, domain: string): boolean =>
  host === domain || host.endsWith(`.${domain}`);
