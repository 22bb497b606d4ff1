import type { FastifyInstance } from 'fastify';
import type { Shutdown } from '../parts/shutdown.ts';

/** While a node ends, each answer ends its connection. */
export function registerShutdown(app: FastifyInstance, shutdown: Shutdown): void {
  shutdown.follow(app.server);
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (shutdown.isClosing) reply.header('connection', 'close');
    done(null, payload);
  });
  // Not here: Fastify gives this hook 10 seconds.
  app.addHook('preClose', async () => shutdown.close());
}
