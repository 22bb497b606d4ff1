import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';

const ROOM = new URL('../clients/', import.meta.url);

/** A file of the browser module, read once. `content` declares it in the document. */
export function clientFile(name: 'client.js' | 'client.d.ts', type: string) {
  const text = readFileSync(new URL(name, ROOM), 'utf8');
  const etag = `"${createHash('sha256').update(text).digest('base64url')}"`;
  const [mediaType] = type.split(';') as [string];
  return {
    content: { [mediaType]: { schema: z.string() } },
    answer: async (_request: unknown, reply: FastifyReply) =>
      reply.type(type).headers({ 'cache-control': 'public, max-age=300', etag }).send(text),
  };
}
