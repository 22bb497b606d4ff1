import { client, urlOf } from './session.js';

/**
 * The service said no. Has the members that `LatchkeyError` of `/client.js` has.
 */
export class ApiError extends Error {
  /**
   * @param {Response} response
   * @param {Record<string, unknown>} problem RFC 9457
   */
  constructor(response, problem) {
    super(String(problem['detail'] ?? response.status));
    this.status = response.status;
    this.code = /** @type {string | undefined} */ (problem['code']);
    this.problem = problem;
    const seconds = Number.parseInt(response.headers.get('Retry-After') ?? '', 10);
    /** Seconds. */
    this.retryAfter = Number.isNaN(seconds) ? undefined : seconds;
  }
}

/**
 * Sends a request of the API, with the access token if the user is signed in. Resolves to the parsed answer, or
 * undefined if it is empty. Rejects with ApiError if the service refuses.
 *
 * @template [T=unknown]
 * @param {'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'} method
 * @param {string} path such as `v1/me`
 * @param {object} [body]
 * @returns {Promise<T>}
 */
export async function call(method, path, body) {
  const response = await client.fetch(urlOf(path), {
    method,
    ...(body && {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    }),
  });
  const text = await response.text();
  const isJson = /[/+]json\b/.test(response.headers.get('Content-Type') ?? '');
  const answer = isJson ? JSON.parse(text) : undefined;
  if (!response.ok) throw new ApiError(response, answer ?? {});
  return answer;
}

/**
 * As `call`, without an access token: for what a mailed link or a visitor asks. The device cookie goes along: with it, a
 * confirmed address belongs to the person who signed up.
 *
 * @param {string} path
 * @param {object} body
 */
export async function callOpen(path, body) {
  const response = await fetch(urlOf(path), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (response.ok) return;
  const isProblem = response.headers.get('Content-Type')?.startsWith('application/problem+json');
  throw new ApiError(response, isProblem ? await response.json() : {});
}
