import type { Entries } from './entry.ts';

/** The request is refused for its form, its place or its number, before its tokens matter; or there is nothing at its path. */
export const requestProblems = {
  bad_request: {
    status: 400,
    title: 'Bad request',
    detail: 'The request is not well-formed HTTP.',
    cause:
      'The request breaks the rules of HTTP, or two programs could read it in two ways: no Host header, a header twice that may appear once, a path that cannot be decoded.',
    remedy: 'Use an HTTP library, and check what proxies on the way add to the request.',
  },
  headers_too_large: {
    status: 431,
    title: 'Headers too large',
    detail: 'All headers of a request together may have up to 16 KB.',
    cause: 'The headers, mostly cookies, are larger than 16 KB.',
    remedy: 'Send fewer or smaller cookies.',
  },
  request_timeout: {
    status: 408,
    title: 'Request timeout',
    detail: 'The request did not arrive in time.',
    cause: 'The client opened a connection and sent its request too slowly, or not to the end.',
    remedy: 'Send the request again.',
  },
  https_required: {
    status: 403,
    title: 'HTTPS required',
    detail: 'The request came over plain http. There is no redirect: use https.',
    cause:
      'The proxy reports that the client used http. A redirect would come too late: the token has crossed the network unprotected.',
    remedy: 'Use the https address. Treat a token that was sent over http as stolen.',
  },
  origin_forbidden: {
    status: 403,
    title: 'Origin forbidden',
    detail:
      'A request that carries the token in a cookie must come from an allowed origin (CORS_ORIGINS).',
    cause:
      'The refresh token came in a cookie, and the Origin header is missing or names an origin that is not allowed. This protects against requests that other sites make in the name of the user.',
    remedy: 'Add the origin of your pages to CORS_ORIGINS, or serve them at APP_URL.',
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    detail:
      'Too many requests came from your network. The Retry-After header says how many seconds to wait.',
    cause:
      'Requests are counted by network address. The RateLimit headers of every answer say how many are left.',
    remedy: 'Wait as long as Retry-After says (seconds), then send the request again.',
  },
  not_found: {
    status: 404,
    title: 'Not found',
    detail: 'No such resource.',
    cause:
      'The path is not one of this service, or what it names does not exist or is not yours to see.',
    remedy: 'Check the path against /docs, and the ID in it.',
  },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    detail: 'This path does not support this method. The Allow header lists those it supports.',
    cause: 'The path exists, but not with this method.',
    remedy: 'Use one of the methods in the Allow header.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'Unsupported media type',
    detail: 'Send JSON in UTF-8, with "Content-Type: application/json".',
    cause:
      'The Content-Type header is missing or another one, or the body is compressed. Forms are refused because other sites can send them without asking the browser first.',
    remedy:
      'Send "Content-Type: application/json" and a JSON body. The routes below /oauth and the callback of providers take "application/x-www-form-urlencoded".',
  },
  body_too_large: {
    status: 413,
    title: 'Body too large',
    detail: 'A body may have up to 16 KB.',
    cause: 'The body is larger than any request of this API needs.',
    remedy: 'Send less.',
  },
  malformed_json: {
    status: 400,
    title: 'Malformed JSON',
    detail: 'The body is not one well-formed JSON document in UTF-8, without duplicate members.',
    cause:
      'The body could not be parsed, is not UTF-8, is nested too deeply, or has a member twice. Some parsers take the first of two members and some the last, so a body that has both is refused.',
    remedy:
      'Send what your JSON library writes (in JavaScript: JSON.stringify). The member "errors" says where the fault is.',
  },
  invalid_input: {
    status: 422,
    title: 'Invalid input',
    detail: 'Some of the input is invalid. The member "errors" lists what and where.',
    cause: 'The body, the query or the path does not match the schema of the route.',
    remedy:
      'Show each message of "errors" beside the field that its "path" names (a JSON Pointer, RFC 6901).',
  },
} satisfies Entries;
