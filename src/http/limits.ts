import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Context } from '../context.ts';
import { Refusal } from '../rules/refusal.ts';
import { ClientCounts } from './client-counts.ts';
import { CountsOfNode } from './counts-of-node.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Applies AUTH_RATE_LIMIT: for routes that sign in, take a password or a code, or create a user. */
    tighterLimit?: boolean;
  }
}

/** Counts a request that no route counts. Refuses with `rate_limited`. */
export type Count = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/** Counts requests per client prefix: IPv4 address, IPv6 /64. Only routes registered after this are limited. */
export async function registerLimits(
  app: FastifyInstance,
  { config, peers, countsOfAllNodes: all }: Context,
): Promise<Count> {
  const { RATE_LIMIT, AUTH_RATE_LIMIT, WORKERS } = config;
  const node = WORKERS > 1 ? new CountsOfNode(peers, WORKERS) : undefined;
  for (const name of ['RATE_LIMIT', 'AUTH_RATE_LIMIT'] as const) {
    if (config[name] === undefined) app.log.warn(`${name} is off: requests are not counted`);
  }
  if (AUTH_RATE_LIMIT !== undefined) {
    app.addHook('onRoute', (route) => {
      if (route.config?.tighterLimit !== true) return;
      route.config.rateLimit = { max: AUTH_RATE_LIMIT.count, timeWindow: AUTH_RATE_LIMIT.window };
    });
  }
  await app.register(rateLimit, {
    global: RATE_LIMIT !== undefined,
    ...(RATE_LIMIT && { max: RATE_LIMIT.count, timeWindow: RATE_LIMIT.window }),
    store: class extends ClientCounts {
      constructor() {
        super({ node, all, ...(RATE_LIMIT && { limit: RATE_LIMIT.count }) });
      }
    },
    enableDraftSpec: true,
    // Fail closed when the store fails.
    skipOnError: false,
    errorResponseBuilder: (_request, { ttl }) =>
      new Refusal('rate_limited', { retryAfter: Math.ceil(ttl / 1_000) }),
  });
  if (RATE_LIMIT === undefined) return async () => {};
  const limit = app.rateLimit();
  return async (request, reply) => {
    await limit.call(app, request, reply);
  };
}
