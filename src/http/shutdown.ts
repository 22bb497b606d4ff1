import type { FastifyInstance } from 'fastify';
import type { Shutdown } from '../parts/shutdown.ts';

/** Closes the connection after each response while the node shuts down. */
export function registerShutdown(app: FastifyInstance, shutdown: Shutdown): void {
  shutdown.follow(app.server);
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (shutdown.isClosing) reply.header('connection', 'close');
    done(null, payload);
  });
  // Only starts the shutdown, does not wait for it: Fastify gives this hook 10 seconds.
  app.addHook('preClose', async () => shutdown.close());
}
