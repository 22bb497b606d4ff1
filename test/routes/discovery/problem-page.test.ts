import t from 'tap';
import { problems } from '../../../src/http/problem-catalogue.ts';
import { ProblemCode } from '../../../src/schemas/problem.ts';
import { refused } from '../../refused.ts';
import { testApp } from '../../test-app.ts';

const { inject } = await testApp(t);

t.test('every code has a page: what happened, what to do, an example', async (t) => {
  for (const code of ProblemCode.options) {
    const answer = await inject({ url: `/problems/${code}` });
    t.equal(answer.statusCode, 200);
    t.equal(answer.headers['content-type'], 'text/html; charset=utf-8');
    t.equal(answer.headers['cache-control'], 'public, max-age=300');
    t.match(answer.headers['content-security-policy'], /^default-src 'none'/);
    t.match(answer.payload, `<h1>${problems[code].title}</h1>`);
    t.match(answer.payload, `<code>${code}</code>, status ${problems[code].status}`);
    const text = answer.payload
      .replaceAll('&quot;', '"')
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>');
    const { cause, remedy, detail } = problems[code];
    for (const part of [cause, remedy, `"detail": ${JSON.stringify(detail)}`])
      t.ok(text.includes(part.replaceAll('&', '&amp;')), `${code}: ${part}`);
    t.not(cause, detail, 'the page says more than the answer');
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
