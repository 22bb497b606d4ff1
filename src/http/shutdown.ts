import { once } from 'node:events';
import { type Socket, Server as TcpServer } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

/** How long a connection without a request may go on once the listener has closed, if there is a delay at all. */
const IDLE_LIMIT = 3_000;

/** How long a request may still take once the listener has closed. */
const REQUEST_LIMIT = 10_000;

/**
 * The end of a node, in three steps. Leaving: `/readyz` says no, everything else goes on, so that the balancer
 * takes the node out. Closing: no new connection, and each answer ends its own. Last, whatever is left is ended.
 */
export class Shutdown {
  readonly #delay: number;
  readonly #hurry = new AbortController();
  #step: 'serving' | 'leaving' | 'closing' = 'serving';

  /** Milliseconds from `leave` to the end of the first step. */
  constructor(delay: number) {
    this.#delay = delay;
  }

  get isLeaving(): boolean {
    return this.#step !== 'serving';
  }

  get isClosing(): boolean {
    return this.#step === 'closing';
  }

  /** Resolves when the balancers have had their time. */
  async leave(): Promise<void> {
    this.#step = 'leaving';
    await this.#wait(this.#delay);
  }

  /** Waits for nobody but those whose requests are being answered. */
  hurry(): void {
    this.#hurry.abort();
  }

  /** Ends the listener, then the connections. */
  async close(server: TcpServer & HttpConnections, sockets: Set<Socket>): Promise<void> {
    this.#step = 'closing';
    if (!server.listening) return;
    const ended = once(server, 'close').then(() => {});
    // The close of an HTTP server would end idle connections too: just then a request may be on its way.
    TcpServer.prototype.close.call(server);
    await Promise.race([ended, this.#wait(Math.min(this.#delay, IDLE_LIMIT))]);
    // First what has come is read: a connection whose request waits to be read passes for idle.
    await nextTurn();
    server.closeIdleConnections();
    await Promise.race([ended, sleep(REQUEST_LIMIT, undefined, { ref: false })]);
    for (const socket of sockets) socket.destroy();
  }

  /** Cut short by `hurry`. */
  #wait(milliseconds: number): Promise<void> {
    return sleep(milliseconds, undefined, { signal: this.#hurry.signal, ref: false }).catch(
      () => {},
    );
  }
}

interface HttpConnections {
  closeIdleConnections(): void;
}

/** Once the service is closing, each answer ends its connection: whoever keeps one is told, and loses nothing. */
export function registerShutdown(app: FastifyInstance, shutdown: Shutdown): void {
  const sockets = new Set<Socket>();
  app.server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (shutdown.isClosing) reply.header('connection', 'close');
    done(null, payload);
  });
  app.addHook('preClose', () => shutdown.close(app.server, sockets));
}
