import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import { type Socket, Server as TcpServer } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

/** How long a connection without a request may go on once the listener has closed, if there is a delay at all. */
const IDLE_LIMIT = 3_000;

/** How long a request may still take once the listener has closed. */
const REQUEST_LIMIT = 10_000;

/**
 * The end of a node, in three steps. Leaving: `/readyz` says no and all else goes on, so that the balancer takes
 * the node out. Closing: no new connection, and each answer ends its own. Last, what is left is ended.
 */
export class Shutdown {
  readonly #delay: number;
  readonly #hurry = new AbortController();
  readonly #sockets = new Set<Socket>();
  #step: 'serving' | 'leaving' | 'closing' = 'serving';

  /** Milliseconds that balancers have, which is the first step. */
  constructor(delay: number) {
    this.#delay = delay;
  }

  get isLeaving(): boolean {
    return this.#step !== 'serving';
  }

  /** From here on each answer ends its connection: a client that keeps one is told, and loses nothing. */
  get isClosing(): boolean {
    return this.#step === 'closing';
  }

  /** Keeps account of a server's connections, which are still there when it no longer is. */
  follow(server: TcpServer): void {
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  close(): void {
    this.#step = 'closing';
  }

  /** All three steps. Afterwards there is no connection left. */
  async leave(server: HttpServer): Promise<void> {
    this.#step = 'leaving';
    await this.#wait(this.#delay);
    this.close();
    const ended = once(server, 'close');
    // The close of an HTTP server would end idle connections too: just then a request may be on its way.
    TcpServer.prototype.close.call(server);
    await Promise.race([ended, this.#wait(Math.min(this.#delay, IDLE_LIMIT))]);
    // First what has come is read: a connection whose request waits to be read passes for idle.
    await nextTurn();
    server.closeIdleConnections();
    await Promise.race([ended, sleep(REQUEST_LIMIT, undefined, { ref: false })]);
    for (const socket of this.#sockets) socket.destroy();
    await ended;
  }

  /** Waits for nobody but those whose requests are being answered. */
  hurry(): void {
    this.#hurry.abort();
  }

  #wait(milliseconds: number): Promise<void> {
    const { signal } = this.#hurry;
    return sleep(milliseconds, undefined, { signal, ref: false }).catch(() => {});
  }
}
