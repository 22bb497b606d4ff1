import t from 'tap';
import { document } from '../operations.ts';
import { refused } from '../refused.ts';
import { testApp } from '../test-app.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'] as const;

const methodsOf = (path: string) =>
  Object.keys(document.paths[path] ?? {}).map((method) => method.toUpperCase());

t.test('an unsupported method is 405 with the supported ones in Allow', async (t) => {
  const { inject } = await testApp(t);
  for (const path of Object.keys(document.paths)) {
    const declared = methodsOf(path);
    const takes = [...declared, ...(declared.includes('GET') ? ['HEAD'] : [])].sort();
    // `{id}` also stands for the last word of a sibling: its methods are answered as those of an ID.
    const others = methodsOf(path.replace(/[^/]+$/, '{id}'));
    for (const method of METHODS.filter((name) => ![...takes, ...others].includes(name))) {
      const answer = await inject({ method: method as 'GET', url: path.replace(/\{\w+\}/, 'x') });
      t.equal(answer.statusCode, 405, `${method} ${path}`);
      t.equal(answer.headers['allow'], takes.join(', '));
      if (method !== 'HEAD') t.equal(answer.json().code, 'method_not_allowed');
    }
  }
});

t.test('an unknown path is 404, with or without CORS', async (t) => {
  for (const env of [{}, { CORS_ORIGINS: 'https://app.example.com' }]) {
    const { inject } = await testApp(t, { env });
    for (const method of METHODS) {
      const answer = await inject({ method: method as 'GET', url: '/nope' });
      t.equal(answer.statusCode, 404, method);
      t.equal(answer.headers['allow'], undefined);
    }
    refused(t, await inject({ url: '/docs/static/nope.js' }), 404, 'not_found');
  }
});

t.test('a path has one spelling; no other bypasses the guard', async (t) => {
  const { app, inject, as, signUp } = await testApp(t);
  const { access_token } = await signUp();
  for (const url of [
    '/v1/me/',
    '//v1/me',
    '/v1//me',
    '/V1/me',
    '/v1/ME',
    '/v1/me;x',
    '/v1/me%00',
    '/v1/me%20',
    '/v1%2fme',
    '/v1/me/sessions/',
    '/v1/me/sessions/a/b',
    '/.well-known/jwksxjson',
  ]) {
    for (const answer of [await inject({ url }), await as(access_token, { url })]) {
      refused(t, answer, 404, 'not_found');
    }
  }
  refused(t, await app.inject({ url: '/v1/%6de' }), 401, 'token_missing');
  for (const url of ['/v1/me%', '/v1/me%zz', '/%', '/v1/me/sessions/%c0%af'])
    refused(t, await inject({ url }), 400, 'bad_request');
});
