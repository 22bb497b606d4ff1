import { lookup } from 'node:dns/promises';
import type { FastifyInstance } from 'fastify';
import type { pino } from 'pino';
import type { Config } from '../config.ts';
import { explained, listenFault } from '../start-faults.ts';

type Listener = Parameters<typeof listenFault>[0];
type Listening = Pick<FastifyInstance, 'listen'>;

const listen = (app: Listening, listener: Listener) =>
  explained(listenFault(listener), async () =>
    app.listen({
      // A single address: for "localhost" Fastify opens two, and on close waits only for requests of the first.
      host: (await lookup(listener.host, { order: 'ipv4first' })).address,
      port: listener.port,
      listenTextResolver: (address) => `Latchkey listens on ${address}`,
    }),
  );

/** Opens the public port. */
export const listenForRequests = (app: Listening, { HOST, PORT }: Config) =>
  listen(app, { variable: 'PORT', host: HOST, port: PORT });

/** Returns the address. In development, a second instance gets a free port, so it needs no METRICS_PORT. */
export async function listenForMetrics(app: Listening, config: Config, log: pino.Logger) {
  const listener = { variable: 'METRICS_PORT', host: config.HOST } as const;
  try {
    return await listen(app, { ...listener, port: config.METRICS_PORT });
  } catch (error) {
    const { message, cause } = error as { message: string; cause?: { code?: string } };
    if (config.NODE_ENV === 'production' || cause?.code !== 'EADDRINUSE') throw error;
    log.warn(`metrics use a free port instead: ${message}`);
    return listen(app, { ...listener, port: 0 });
  }
}
