import { z } from 'zod';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { pageFiles, versionOf } from '../../http/page-files.ts';
import { textFile } from '../../http/text-file.ts';

const TYPES = { js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8' };
const FOR_EVER = 'public, max-age=31536000, immutable';

/** What the pages load. */
export function filesOfPages(app: App, { config }: Context): void {
  const files = pageFiles(config);
  const version = versionOf(files);
  for (const [name, text] of files) {
    const type = TYPES[name.endsWith('.js') ? 'js' : 'css'];
    const answer = textFile(text, type, FOR_EVER);
    // During an update, another node may have sent the page.
    const answerOther = textFile(text, type, 'no-store');
    app.route({
      method: 'GET',
      url: `/pages/:version/${name}`,
      config: { access: 'public' },
      schema: { hide: true, params: z.object({ version: z.string() }) },
      handler: async (request, reply) =>
        (request.params.version === version ? answer : answerOther)(request, reply),
    });
  }
}
