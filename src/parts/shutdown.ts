import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import { type Socket, Server as TcpServer } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

/** How long idle connections stay open after the listener has closed (ms). Never longer than the delay. */
const IDLE_LIMIT = 3_000;

/** How long requests may run after the listener has closed (ms). */
const REQUEST_LIMIT = 10_000;

/**
 * Shuts a node down in three steps. Leaving: only `/readyz` fails, so that the load balancer removes the node.
 * Closing: no new connections, and each response closes its own. Last: the remaining connections are destroyed.
 */
export class Shutdown {
  readonly #delay: number;
  readonly #hurry = new AbortController();
  readonly #sockets = new Set<Socket>();
  readonly #closing = Promise.withResolvers<void>();
  #step: 'serving' | 'leaving' | 'closing' = 'serving';

  /** `delay`: length of the first step (ms), the time that load balancers have to react. */
  constructor(delay: number) {
    this.#delay = delay;
  }

  get isLeaving(): boolean {
    return this.#step !== 'serving';
  }

  /** If true, each response closes its connection, so that a keep-alive client loses no request. */
  get isClosing(): boolean {
    return this.#step === 'closing';
  }

  /** Resolves when `isClosing` becomes true: answers that wait for something must be given now. */
  get closing(): Promise<void> {
    return this.#closing.promise;
  }

  /** Tracks a server's connections: they may outlive its listener. */
  follow(server: TcpServer): void {
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  close(): void {
    this.#step = 'closing';
    this.#closing.resolve();
  }

  /** Runs all three steps. Afterwards no connection is left. */
  async leave(server: HttpServer): Promise<void> {
    this.#step = 'leaving';
    await this.#wait(this.#delay);
    this.close();
    const ended = once(server, 'close');
    // The HTTP server's own close would also end idle connections, on which a request may just be arriving.
    TcpServer.prototype.close.call(server);
    await Promise.race([ended, this.#wait(Math.min(this.#delay, IDLE_LIMIT))]);
    // Reads what has arrived first: a connection whose request is still unread counts as idle.
    await nextTurn();
    server.closeIdleConnections();
    await Promise.race([ended, sleep(REQUEST_LIMIT, undefined, { ref: false })]);
    for (const socket of this.#sockets) socket.destroy();
    await ended;
  }

  /** Skips the remaining waits, except for requests that are being answered. */
  hurry(): void {
    this.#hurry.abort();
  }

  #wait(milliseconds: number): Promise<void> {
    const { signal } = this.#hurry;
    return sleep(milliseconds, undefined, { signal, ref: false }).catch(() => {});
  }
}
