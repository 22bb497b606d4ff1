import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { Scope } from './server.ts';

/** What stands between a node and its database, and can fail as PgBouncer, a balancer or a cable does. */
export interface Intermediary {
  /** The database's address, by way of the proxy. */
  url: string;
  /** Connections that are open now. */
  open(): number;
  /** Ends every connection with an RST, or with a FIN, wherever its query is. */
  reset(): void;
  end(): void;
  /** Refuses new connections, until `comeBack`. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  /** Takes what is sent and passes nothing on, either way or only the answers; false: passes all on again. */
  swallow(what: 'everything' | 'answers' | false): void;
  /** Passes each answer on so much later (ms). */
  delay(time: number): void;
}

/** A TCP proxy before the server of a database address. Closed when the test ends. */
export async function proxy(t: Scope, target: string): Promise<Intermediary> {
  const address = new URL(target);
  const pairs = new Map<Socket, Socket>();
  let swallowed: 'everything' | 'answers' | false = false;
  let late = 0;
  const server = createServer((near) => {
    const far = connect(Number(address.port), address.hostname);
    pairs.set(near, far);
    near.on('data', (bytes) => swallowed !== 'everything' && far.write(bytes));
    far.on('data', (bytes) => {
      if (swallowed !== false) return;
      if (late === 0) near.write(bytes);
      else setTimeout(() => near.writable && near.write(bytes), late);
    });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => {});
      one.on('close', () => {
        other.destroy();
        pairs.delete(near);
      });
    }
  });
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const bound = server.address();
    return typeof bound === 'object' && bound ? bound.port : 0;
  };
  const port = await listen(0);
  const each = (end: (near: Socket) => void) => {
    for (const [near, far] of pairs) {
      end(near);
      far.destroy();
    }
  };
  t.teardown(() => {
    each((near) => near.destroy());
    server.close();
  });
  return {
    url: Object.assign(new URL(target), { port: String(port) }).href,
    open: () => pairs.size,
    reset: () => each((near) => near.resetAndDestroy()),
    end: () => each((near) => near.end()),
    goAway: async () => {
      server.close();
      each((near) => near.resetAndDestroy());
      await once(server, 'close');
    },
    comeBack: async () => {
      await listen(port);
    },
    swallow: (what) => {
      swallowed = what;
    },
    delay: (time) => {
      late = time;
    },
  };
}
