import type { ProblemCode } from '../schemas/problem.ts';
import { accessTokenProblems } from './problem-catalogue/access-tokens.ts';
import { accountProblems } from './problem-catalogue/accounts.ts';
import type { CatalogueEntry } from './problem-catalogue/entry.ts';
import { factorProblems } from './problem-catalogue/factors.ts';
import { passkeyProblems } from './problem-catalogue/passkeys.ts';
import { providerProblems } from './problem-catalogue/providers.ts';
import { requestProblems } from './problem-catalogue/requests.ts';
import { serverProblems } from './problem-catalogue/server.ts';
import { sessionProblems } from './problem-catalogue/sessions.ts';

/** Every code that a request can be refused with. A code that is missing here does not compile. */
export const problems = {
  ...requestProblems,
  ...accessTokenProblems,
  ...sessionProblems,
  ...factorProblems,
  ...passkeyProblems,
  ...providerProblems,
  ...accountProblems,
  ...serverProblems,
} satisfies Record<ProblemCode, CatalogueEntry>;

/** `instance` in the examples. */
const INSTANCE = 'q83vEjRW-3k';

/** The answer of a code as the documentation shows it. */
export const exampleOf = (code: ProblemCode) => ({
  type: `/problems/${code}`,
  title: problems[code].title,
  status: problems[code].status,
  detail: problems[code].detail,
  code,
  instance: INSTANCE,
  ...(code === 'invalid_input' && { errors: [{ path: '/email', message: 'is required' }] }),
  ...(code === 'malformed_json' && { errors: [{ path: '/email', message: 'is there twice' }] }),
});
