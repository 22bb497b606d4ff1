import type { ProblemCode } from '../../schemas/problem.ts';
import type { Asked } from './exchange.ts';
import { membersOf } from './site.ts';
import { type Check, verdictOf, wrong } from './verdict.ts';

const GROUP = 'Refusals';
const JSON_TYPE = { 'content-type': 'application/json' };

/** Requests that are refused before anything is looked up. */
const REFUSED: [what: string, path: string, asked: Asked, status: number, code: ProblemCode][] = [
  ['an unknown path', '/v1/no-such-path', {}, 404, 'not_found'],
  ['a wrong method', '/v1/login', {}, 405, 'method_not_allowed'],
  [
    'text/plain',
    '/v1/login',
    { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' },
    415,
    'unsupported_media_type',
  ],
  [
    'broken JSON',
    '/v1/login',
    { method: 'POST', headers: JSON_TYPE, body: '{' },
    400,
    'malformed_json',
  ],
  [
    'an unknown member',
    '/v1/login',
    { method: 'POST', json: { unknown: true } },
    422,
    'invalid_input',
  ],
  [
    'a body of 17 KB',
    '/v1/login',
    { method: 'POST', json: { email: 'x'.repeat(17_000) } },
    413,
    'body_too_large',
  ],
];

export const problems: Check = {
  group: GROUP,
  name: 'problems',
  needs: ['live'],
  async run({ site }) {
    const faults: string[] = [];
    for (const [what, path, asked, status, code] of REFUSED) {
      const answer = await site.ask(path, asked);
      const type = answer.headers['content-type'];
      const isProblem = /^application\/problem\+json\b/.test(String(type));
      if (answer.status !== status) faults.push(`${what}: ${answer.status} instead of ${status}`);
      else if (!isProblem || membersOf(answer)['code'] !== code)
        faults.push(`${what}: ${status} as ${type}, not as the problem ${code}`);
    }
    return verdictOf(
      faults,
      `${REFUSED.length} bad requests are refused as problems (RFC 9457)`,
      'The proxy answers in place of Latchkey. Switch its own error pages off for this host (nginx: proxy_intercept_errors off), and let bodies of 17 KB and every method pass.',
    );
  },
};

export const allow: Check = {
  group: GROUP,
  name: 'allow',
  needs: ['problems'],
  async run({ site }) {
    const { headers } = await site.ask('/v1/login');
    return verdictOf(
      headers['allow'] === 'POST' ? [] : [`Allow of a 405 is ${headers['allow']}`],
      'a 405 names the methods',
      'Let the proxy pass the header Allow.',
    );
  },
};

export const requestIds: Check = {
  group: GROUP,
  name: 'request-id',
  needs: ['problems'],
  async run({ site }) {
    const ids = [await site.ask('/v1/no-such-path'), await site.ask('/v1/no-such-path')].map(
      (answer) => membersOf(answer)['instance'],
    );
    if (ids[0] !== ids[1])
      return verdictOf([], 'each answer has its own, which the log has too', '');
    return wrong(
      'two refusals have the same request ID',
      'A cache answers in place of Latchkey: it must keep nothing that says no-store.',
    );
  },
};
