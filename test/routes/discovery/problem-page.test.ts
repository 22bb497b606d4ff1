import t from 'tap';
import { problems } from '../../../src/http/problems.ts';
import { ProblemCode } from '../../../src/schemas/problem.ts';
import { refused } from '../../refused.ts';
import { testApp } from '../../test-app.ts';

const { inject } = await testApp(t);

t.test('every code has a page that explains it', async (t) => {
  for (const code of ProblemCode.options) {
    const answer = await inject({ url: `/problems/${code}` });
    t.equal(answer.statusCode, 200);
    t.equal(answer.headers['content-type'], 'text/html; charset=utf-8');
    t.equal(answer.headers['cache-control'], 'public, max-age=300');
    t.match(answer.headers['content-security-policy'], /^default-src 'none'/);
    t.match(answer.payload, `<h1>${problems[code].title}</h1>`);
    t.match(answer.payload, `<code>${code}</code>, status ${problems[code].status}`);
    t.match(answer.payload, problems[code].explanation.replaceAll('"', '&quot;'));
  }
});

t.test('the type of a problem links to its page', async (t) => {
  const { type } = refused(t, await inject({ url: '/v1/me' }), 401, 'token_missing');
  const page = await inject({ url: type });
  t.equal(page.statusCode, 200);
});

t.test('an unknown code has no page, and the answer does not repeat it', async (t) => {
  for (const code of ['nope', 'TOKEN_MISSING', '__proto__', 'toString', '%3Cscript%3E', '%00']) {
    const answer = await inject({ url: `/problems/${code}` });
    refused(t, answer, 404, 'not_found');
    t.notOk(answer.payload.includes('script'));
  }
});
