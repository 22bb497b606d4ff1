import Fastify, { type FastifyInstance } from 'fastify';

/** Where the metrics come from: a registry of `prom-client`, or something like it. */
export interface MetricsSource {
  contentType: string;
  metrics(): Promise<string>;
}

/** A separate application, so that metrics are not on the public listener. */
export function buildMetricsApp({ registry }: { registry: MetricsSource }): FastifyInstance {
  const app = Fastify();
  app.get('/metrics', async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
  return app;
}
