import { normalizeIP } from '@fastify/rate-limit';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Source } from '../actions/sessions/sign-in.ts';

/** Aborted when the client goes away before it has its answer. */
export function signalOf(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableEnded) gone.abort();
  });
  return gone.signal;
}

/** Where a guess comes from: by network prefix, as anybody with IPv6 has 2^64 addresses. */
export const sourceOf = (request: FastifyRequest, reply: FastifyReply): Source => ({
  prefix: normalizeIP(request.ip),
  signal: signalOf(reply),
});
