import { z } from 'zod';
import type { App } from '../../app.ts';
import { Refusal } from '../../domain/refusal.ts';
import { problems } from '../../http/problems.ts';
import { ProblemCode } from '../../schemas/problem.ts';

const page = (code: ProblemCode): string => {
  const { status, title, explanation } = problems[code];
  const text = explanation.replaceAll('"', '&quot;');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${title}</title>
<h1>${title}</h1>
<p><code>${code}</code>, status ${status}</p>
<p>${text}</p>
`;
};

export function problemPage(app: App): void {
  app.route({
    method: 'GET',
    url: '/problems/:code',
    config: { access: 'public', problems: ['not_found'] },
    schema: {
      operationId: 'problemPage',
      tags: ['Discovery'],
      summary: 'What a problem code means',
      description: 'The page that the `type` of a problem leads to.',
      params: z.object({ code: z.string().describe('The `code` of a problem.') }),
      response: {
        200: { description: 'A page to read.', content: { 'text/html': { schema: z.string() } } },
      },
    },
    handler: async ({ params }, reply) => {
      const { data: code } = ProblemCode.safeParse(params.code);
      if (code === undefined) throw new Refusal('not_found');
      return reply
        .type('text/html; charset=utf-8')
        .header('cache-control', 'public, max-age=300')
        .send(page(code));
    },
  });
}
