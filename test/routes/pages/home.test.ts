import t from 'tap';
import { refused } from '../../refused.ts';
import { testApp } from '../../test-app.ts';

const { inject, context } = await testApp(t, { env: { APP_URL: 'https://app.example.com' } });
const { ISSUER } = context.config;

t.test('a browser at the root of the service gets links to the documentation', async (t) => {
  const accept = 'text/html,application/xhtml+xml,*/*;q=0.8';
  const answer = await inject({ url: '/', headers: { accept } });
  t.equal(answer.statusCode, 200);
  t.match(answer.headers, { 'content-type': 'text/html; charset=utf-8', vary: /accept/i });
  t.ok(answer.payload.includes(`href="${ISSUER}/docs"`));
  t.ok(answer.payload.includes('href="https://app.example.com"'), 'and to the application');
  t.notMatch(answer.payload, /<script|\/login|\{\{/);
});

t.test('a program gets the same links as JSON, and each link works', async (t) => {
  for (const headers of [{}, { accept: '*/*' }, { accept: 'application/json' }]) {
    const answer = await inject({ url: '/', headers });
    t.match(answer.headers, { 'content-type': /^application\/json/, vary: /accept/i });
    const links = Object.values<string>(answer.json());
    t.ok(links.includes(`${ISSUER}/docs`));
    for (const link of links)
      t.equal((await inject({ url: link.slice(ISSUER.length) })).statusCode, 200, link);
  }
});

t.test('no other method and no other path works', async (t) => {
  refused(t, await inject({ method: 'POST', url: '/' }), 405, 'method_not_allowed');
  refused(t, await inject({ url: '/index.html' }), 404, 'not_found');
});
