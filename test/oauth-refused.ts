import type { LightMyRequestResponse } from 'fastify';
import type { Test } from 'tap';

/** Asserts that the answer is this error in the shape of RFC 6749 section 5.2, and nothing more. */
export function oauthRefused(
  t: Test,
  answer: LightMyRequestResponse,
  status: number,
  error: string,
): { error: string; error_description: string } {
  const body = answer.json();
  t.equal(answer.statusCode, status, `status of ${error}`);
  t.match(answer.headers, {
    'content-type': /^application\/json/,
    'cache-control': 'no-store',
    pragma: 'no-cache',
  });
  t.same(Object.keys(body), ['error', 'error_description']);
  t.equal(body.error, error);
  // RFC 6749 section 5.2: the characters that a description may have.
  t.match(body.error_description, /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
  t.equal('www-authenticate' in answer.headers, error === 'invalid_client');
  return body;
}
