import { z } from 'zod';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { hasAnswer, IfNoneMatch } from '../../http/etag.ts';
import { signalOf } from '../../http/source.ts';
import { Refusal } from '../../rules/refusal.ts';
import { NoContent } from '../../schemas/session.ts';

/** `Prefer: wait=20` (RFC 7240 section 4.3). */
const WAIT = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,5})"?\s*(?=$|[,;])/i;

/** Seconds. Less than the 30 seconds after which an idle connection is closed (`app.ts`): the answer would be its last. */
const MAX_WAIT = 25;

/** Requests that may wait at once. The next one is answered at once. */
const MAX_WAITING = 1_000;

const Cursor = z.string().max(64);

export function revocations(
  app: App,
  { revocationDocument: document, revocationLog: log, shutdown }: Context,
): void {
  app.route({
    method: 'GET',
    url: '/.well-known/revocations',
    config: {
      access: 'public',
      headers: { 200: ['ETag', 'Preference-Applied'], 304: ['ETag', 'Preference-Applied'] },
      problems: ['not_found', 'invalid_input', 'unavailable'],
    },
    schema: {
      operationId: 'getRevocations',
      tags: ['Discovery'],
      summary: 'Get what was revoked',
      description:
        'A JWT of type `revocations+jwt`, signed like the access tokens: the sessions that have ended (`sessions`, values of `sid`) and the lowest valid `ver` of users (`users`), of the last 16 minutes. A service that checks it refuses revoked tokens within seconds. `exp` is 60 seconds after `iat`. Send the `cursor` of one document as `since` to get only what came later; `since` in the answer says that it is such a part. With `Prefer: wait=20` the answer waits until something is revoked, for at most so many seconds (25). 404 with HS256, as nobody could verify it.',
      querystring: z.strictObject({
        since: Cursor.optional().describe('The `cursor` of an earlier document.'),
      }),
      headers: z.object({
        prefer: z.string().optional().describe('`wait=20`: how many seconds the answer may wait.'),
        ...IfNoneMatch,
      }),
      response: {
        200: {
          description: 'A signed JWT.',
          content: { 'application/jwt': { schema: z.string() } },
        },
        304: NoContent.describe('Nothing was revoked since.'),
      },
    },
    handler: async ({ query: { since }, headers }, reply) => {
      if (!document.isVerifiable) throw new Refusal('not_found');
      const isKnown = () =>
        since === undefined ? hasAnswer(headers, document.etag) : document.isCurrent(since);
      const wait = Math.min(MAX_WAIT, Number(WAIT.exec(headers.prefer ?? '')?.[1] ?? 0));
      const mayWait = wait > 0 && log.waiting < MAX_WAITING && !shutdown.isClosing && isKnown();
      if (mayWait) await log.news(wait * 1_000, signalOf(reply));
      const isSame = since === undefined && isKnown();
      // What comes while the document is made is not in it.
      const { etag } = document;
      const token = isSame ? null : await document.sign(since);
      reply.headers({
        'cache-control': 'public, max-age=1',
        // A cache must not give the answer of one who waits to one who does not.
        vary: 'Prefer, Origin',
        etag,
        ...(mayWait && { 'preference-applied': `wait=${wait}` }),
      });
      if (isSame) return reply.code(304).send(null);
      // The schema says that it is text; so are these bytes.
      return reply.type('application/jwt').send(token as unknown as string);
    },
  });
}
