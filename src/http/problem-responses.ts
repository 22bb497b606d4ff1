import { Problem, type ProblemCode } from '../schemas/problem.ts';
import { problems } from './problem-catalogue.ts';

/** What the document says of the answers with these codes: one answer for each status. */
export function problemResponses(codes: ProblemCode[]): Record<number, object> {
  const byStatus = Map.groupBy(codes, (code) => problems[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, sameStatus]) => [
      status,
      {
        description: sameStatus.map((code) => `\`${code}\`: ${problems[code].detail}`).join('\n\n'),
        content: {
          'application/problem+json': { schema: Problem },
        },
      },
    ]),
  );
}
