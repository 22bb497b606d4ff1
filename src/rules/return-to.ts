import { allowedOrigins } from './origins.ts';
import { Refusal } from './refusal.ts';

/** A path with a query and a fragment. No backslash, which browsers read as a slash, and no tab or line end, which they skip. */
const PATH = /^\/(?!\/)[\w.~!$&'()*+,;=:@%/?#-]*$/;

/** An origin, and behind it such a path. */
const URL_OF_PAGE = /^https?:\/\/[\w.:[\]-]+(?:\/[\w.~!$&'()*+,;=:@%/?#-]*)?$/;

type Origins = Parameters<typeof allowedOrigins>[0];

/**
 * Where the browser goes after a sign-in elsewhere: a path of the application, or a URL of an allowed origin (CWE-601). Refuses
 * with `invalid_input`.
 */
export function returnUrl(text: string, config: Origins): string {
  const isPath = PATH.test(text);
  const url =
    isPath || (URL_OF_PAGE.test(text) && URL.canParse(text))
      ? new URL(text, config.APP_URL)
      : undefined;
  if (url === undefined || !allowedOrigins(config).has(url.origin))
    throw new Refusal('invalid_input', {
      errors: [
        { path: '/return_to', message: 'must be a path, or a URL of an origin that is allowed' },
      ],
    });
  return url.href;
}
