import { createHash } from 'node:crypto';
import type { FastifyReply } from 'fastify';

/** The handler that sends a text that anyone may cache; browsers ask for it again after five minutes. */
export function textFile(text: string, type: string, cacheControl = 'public, max-age=300') {
  const etag = `"${createHash('sha256').update(text).digest('base64url')}"`;
  const headers = { 'cache-control': cacheControl, etag };
  return async (_request: unknown, reply: FastifyReply) =>
    reply.type(type).headers(headers).send(text);
}
