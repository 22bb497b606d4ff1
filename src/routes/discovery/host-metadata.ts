import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { basePath } from '../../http/base-path.ts';
import { answerMetadata, Metadata, WELL_KNOWN } from './metadata.ts';

/** RFC 8414 section 3.1: if the issuer has a path, the well-known path goes between the host and that path. */
export function hostMetadata(app: App, { config }: Context): void {
  const base = basePath(config);
  if (base === '') return;
  app.route({
    method: 'GET',
    url: `${WELL_KNOWN}${base}`,
    config: { access: 'public' },
    schema: { hide: true, response: { 200: Metadata } },
    handler: answerMetadata(config),
  });
}
