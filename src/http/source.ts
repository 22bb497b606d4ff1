import { normalizeIP } from '@fastify/rate-limit';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Source } from '../actions/sessions/sign-in.ts';

/** Aborts when the client disconnects before the response is complete. */
export function signalOf(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableEnded) gone.abort();
  });
  return gone.signal;
}

/** The source of a guess. Uses the network prefix, because one IPv6 client has 2^64 addresses. */
export const sourceOf = (request: FastifyRequest, reply: FastifyReply): Source => ({
  prefix: normalizeIP(request.ip),
  signal: signalOf(reply),
});

/** The network that asks for a letter: an IPv4 address, or an IPv6 /48, because one household can have all 65,536 /64 in it. */
export const networkOfLetter = (request: FastifyRequest): string => normalizeIP(request.ip, 48);
