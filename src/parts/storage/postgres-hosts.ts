import type { PostgresPool } from 'kysely';
import pg from 'pg';
import type { PoolUse } from './database.ts';

const READ_ONLY = '25006';

/** The driver's words when all connections are in use. Any other failure is the server's. */
const isBusy = (error: unknown): boolean =>
  (error as Error).message === 'timeout exceeded when trying to connect';

/** Refuses a server that takes no writes. */
export async function assertWritable(client: pg.Client): Promise<void> {
  const { rows } = await client.query('show transaction_read_only');
  if (rows[0].transaction_read_only === 'off') return;
  throw Object.assign(new Error('the server is read-only'), { code: READ_ONLY });
}

/** The pools of one or several servers. The server that was last reached is asked first. */
export class PostgresHosts implements PostgresPool, PoolUse {
  /** Kysely wants it, for what is not used here. */
  readonly options = {};
  readonly #pools: pg.Pool[];
  readonly #readOnly = new WeakSet<pg.ClientBase>();
  #current = 0;

  constructor(pools: pg.Pool[]) {
    this.#pools = pools;
    // The pool replaces a broken connection, and its query rejects. Without a listener, the 'error' event would end
    // the process.
    const unmoved = () => {};
    for (const pool of pools) {
      pool.on('error', unmoved);
      pool.on('connect', (client) => {
        client.on('error', unmoved);
        client.connection.on('errorMessage', ({ code }: { code?: string }) => {
          if (code === READ_ONLY) this.#readOnly.add(client);
        });
      });
    }
  }

  get totalCount(): number {
    return this.#sum((pool) => pool.totalCount);
  }

  get idleCount(): number {
    return this.#sum((pool) => pool.idleCount);
  }

  get waitingCount(): number {
    return this.#sum((pool) => pool.waitingCount);
  }

  #sum(count: (pool: pg.Pool) => number): number {
    return this.#pools.reduce((sum, pool) => sum + count(pool), 0);
  }

  async connect(): Promise<pg.PoolClient> {
    const first = this.#current;
    let failure: unknown;
    for (let offset = 0; offset < this.#pools.length; offset += 1) {
      const index = (first + offset) % this.#pools.length;
      try {
        const client = await this.#pool(index).connect();
        this.#current = index;
        const { release } = client;
        // After a failover the old primary may be a standby: what is connected to it must look for the new one.
        client.release = () => release(this.#readOnly.has(client));
        return client;
      } catch (error) {
        if (isBusy(error)) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  /** A connection beside the pool, to the server that was last reached. It is not open yet. */
  newClient(): pg.Client {
    const client = new pg.Client(this.#pool(this.#current).options);
    client.on('error', () => {});
    return client;
  }

  async end(): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.end()));
  }

  #pool(index: number): pg.Pool {
    return this.#pools[index] as pg.Pool;
  }
}
