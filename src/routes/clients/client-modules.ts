import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { IfNoneMatch } from '../../http/etag.ts';
import { textFile } from '../../http/text-file.ts';
import { NoContent } from '../../schemas/session.ts';

const ROOM = new URL('../../clients/', import.meta.url);

/** The browser module, and those that add to it. `id`: in the operation IDs. */
const MODULES = [
  {
    file: 'client',
    id: 'Client',
    name: 'the browser module',
    description:
      'An ES module without dependencies that signs in, keeps the access token in memory, refreshes it once for all tabs and adds it to requests. A page at the origin of `ISSUER` or `APP_URL`, or at one in `CORS_ORIGINS`, can import it from here.',
  },
  {
    file: 'client-passkeys',
    id: 'Passkeys',
    name: 'the passkey module',
    description: 'An ES module that adds passkeys to `/client.js`, which it imports.',
  },
  {
    file: 'client-mail-codes',
    id: 'MailCodes',
    name: 'the module for codes by mail',
    description: 'An ES module that adds codes by mail to `/client.js`.',
  },
  {
    file: 'client-dpop',
    id: 'Dpop',
    name: 'the DPoP module',
    description:
      'An ES module for `/client.js` that binds sessions to a key of the browser (RFC 9449).',
  },
] as const;

interface ClientFile {
  file: string;
  type: 'text/javascript' | 'text/plain';
  operationId: string;
  summary: string;
  description: string;
}

function clientFile(app: App, { file, type, operationId, summary, description }: ClientFile): void {
  app.route({
    method: 'GET',
    url: `/${file}`,
    config: { access: 'public', headers: { 200: ['ETag'], 304: ['ETag'] } },
    schema: {
      operationId,
      tags: ['Clients'],
      summary,
      description,
      headers: z.object(IfNoneMatch),
      response: {
        200: { description: 'The file.', content: { [type]: { schema: z.string() } } },
        304: NoContent.describe('The file has not changed.'),
      },
    },
    handler: textFile(readFileSync(new URL(file, ROOM), 'utf8'), `${type}; charset=utf-8`),
  });
}

/** Each module with its TypeScript declarations. */
export function clientModules(app: App, _context: Context): void {
  for (const { file, id, name, description } of MODULES) {
    clientFile(app, {
      file: `${file}.js`,
      type: 'text/javascript',
      operationId: `get${id}Module`,
      summary: `Get ${name}`,
      description,
    });
    clientFile(app, {
      file: `${file}.d.ts`,
      type: 'text/plain',
      operationId: `get${id}Declarations`,
      summary: `Get the types of ${name}`,
      description: `The TypeScript declarations of \`/${file}.js\`.`,
    });
  }
}
