import { LatchkeyError } from './problems.ts';

/** A connection that hangs must not hold the lock (ms). */
const PATIENCE = 20_000;

interface Call {
  method?: string;
  body?: object | undefined;
  /** The access token. */
  token?: string | undefined;
  /** The Idempotency-Key. */
  key?: string;
}

/** Calls of the service's API. The answer is its JSON, or '' without a body; a refusal throws a LatchkeyError. */
export const wire =
  (base: string, inBody: boolean, call: typeof fetch) =>
  async (path: string, { method = 'POST', body, token, key }: Call = {}) => {
    const abort = new AbortController();
    const alarm = setTimeout(() => abort.abort(), PATIENCE);
    try {
      const response = await call(base + path, {
        method,
        headers: {
          ...(body && { 'Content-Type': 'application/json' }),
          ...(token && { Authorization: `Bearer ${token}` }),
          ...(key && { 'Idempotency-Key': key }),
        },
        credentials: inBody ? 'omit' : 'include',
        signal: abort.signal,
        body: body ? JSON.stringify(body) : null,
      });
      const text = await response.text();
      if (response.ok) return { status: response.status, answer: text && JSON.parse(text) };
      const isProblem = response.headers
        .get('Content-Type')
        ?.startsWith('application/problem+json');
      throw new LatchkeyError(response, isProblem ? JSON.parse(text) : {});
    } finally {
      clearTimeout(alarm);
    }
  };
