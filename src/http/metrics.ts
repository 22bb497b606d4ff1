import Fastify, { type FastifyInstance } from 'fastify';
import type { Metrics } from '../parts/metrics.ts';

/** A separate application, so that metrics are not on the public listener. */
export function buildMetricsApp({ registry }: Metrics): FastifyInstance {
  const app = Fastify();
  app.get('/metrics', async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
  return app;
}
