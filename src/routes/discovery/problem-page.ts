import { z } from 'zod';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { page } from '../../http/page.ts';
import { exampleOf, problems } from '../../http/problem-catalogue.ts';
import { escaped } from '../../parts/mail/letter.ts';
import { Refusal } from '../../rules/refusal.ts';
import { ProblemCode } from '../../schemas/problem.ts';

/** Lines that wrap: a `pre` would be wider than a phone, and the page may have no style. */
const linesOf = (example: object): string =>
  escaped(JSON.stringify(example, null, 2))
    .split('\n')
    .map((line) => `<code>${line.replaceAll('  ', '&nbsp;&nbsp;')}</code>`)
    .join('<br>\n');

const pageOf = (code: ProblemCode, product: string): string => {
  const { status, title, cause, remedy } = problems[code];
  const body = `<p><code>${code}</code>, status ${status}</p>
<h2>What happened</h2>
<p>${escaped(cause)}</p>
<h2>What to do</h2>
<p>${escaped(remedy)}</p>
<h2>Example</h2>
<p>${linesOf(exampleOf(code))}</p>`;
  return page({ title, product, body });
};

export function problemPage(app: App, { config }: Context): void {
  app.route({
    method: 'GET',
    url: '/problems/:code',
    config: { access: 'public', problems: ['not_found'] },
    schema: {
      operationId: 'getProblemPage',
      tags: ['Discovery'],
      summary: 'Explain a problem code',
      description:
        'The page that the `type` of a problem links to: what happened, what to do, and an example.',
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
        .send(pageOf(code, config.PRODUCT_NAME));
    },
  });
}
