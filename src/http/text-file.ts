import type { FastifyReply } from 'fastify';
import { etagOf, hasAnswer } from './etag.ts';

/** The handler that sends a text that anyone may cache, or 304. Browsers ask for it again after five minutes. */
export function textFile(text: string, type: string) {
  const etag = etagOf(text);
  return async (
    { headers }: { headers: { 'if-none-match'?: string | undefined } },
    reply: FastifyReply,
    cacheControl = 'public, max-age=300',
  ) => {
    reply.headers({ 'cache-control': cacheControl, etag });
    return hasAnswer(headers, etag) ? reply.code(304).send(null) : reply.type(type).send(text);
  };
}
