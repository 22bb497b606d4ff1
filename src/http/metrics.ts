import Fastify, { type FastifyInstance } from 'fastify';
import type { Metrics } from '../parts/metrics.ts';

/** The listener of its own, off the public one. */
export function buildMetricsApp({ registry }: Metrics): FastifyInstance {
  const app = Fastify();
  app.get('/metrics', async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
  return app;
}
