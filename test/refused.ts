import type { LightMyRequestResponse } from 'fastify';
import type { Test } from 'tap';
import type { Problem } from '../src/schemas/problem.ts';

/** Asserts that the answer is this problem, and hands it out. */
export function refused(
  t: Test,
  answer: LightMyRequestResponse,
  status: number,
  code: Problem['code'],
): Problem {
  const problem = answer.json<Problem>();
  t.equal(answer.statusCode, status, `status of ${code}`);
  t.match(answer.headers['content-type'], /^application\/problem\+json/);
  t.match(problem, { status, code, type: `/problems/${code}` });
  return problem;
}
