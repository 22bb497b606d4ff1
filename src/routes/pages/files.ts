import { z } from 'zod';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { servesPages } from '../../http/own-page.ts';
import { pageFiles } from '../../http/page-files.ts';
import { textFile } from '../../http/text-file.ts';
import { Refusal } from '../../rules/refusal.ts';

const SCRIPT = 'text/javascript; charset=utf-8';
const STYLE = 'text/css; charset=utf-8';
const FOR_EVER = 'public, max-age=31536000, immutable';

/** What the pages load. */
export function filesOfPages(app: App, { config }: Context): void {
  const { files, version } = pageFiles(config);
  // Where the application is elsewhere, only the start page is left, and it has no script.
  const served = [...files].filter(([name]) => servesPages(config) || name === 'style.css');
  const answers = new Map(
    served.map(([name, text]) => [name, textFile(text, name.endsWith('.js') ? SCRIPT : STYLE)]),
  );
  // A page of several parts has a folder.
  const params = z.object({
    version: z.string(),
    file: z.string(),
    part: z.string().optional(),
  });
  for (const url of ['/pages/:version/:file', '/pages/:version/:file/:part'])
    app.route({
      method: 'GET',
      url,
      config: { access: 'public' },
      schema: { hide: true, params },
      handler: async (request, reply) => {
        const { version: asked, file, part } = request.params;
        const answer = answers.get(part === undefined ? file : `${file}/${part}`);
        if (answer === undefined) throw new Refusal('not_found');
        // During an update, another node may have sent the page.
        return answer(request, reply, asked === version ? FOR_EVER : 'no-store');
      },
    });
}
