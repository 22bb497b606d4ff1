import { type DialectAdapter, PostgresDialect } from 'kysely';
import pg from 'pg';
import { hasOpenLine, urlsOfHosts, withHost } from '../../schemas/connection-url.ts';
import type { PoolUse } from './database.ts';
import { assertWritable, PostgresHosts } from './postgres-hosts.ts';
import { PostgresLimits } from './postgres-limits.ts';
import { PostgresMigrationLock } from './postgres-migration-lock.ts';
import { tlsOf } from './postgres-tls.ts';

class LimitedDialect extends PostgresDialect {
  readonly #hosts: PostgresHosts;
  readonly #limits: PostgresLimits;

  constructor(hosts: PostgresHosts, limits: PostgresLimits) {
    super({ pool: hosts });
    this.#hosts = hosts;
    this.#limits = limits;
  }

  override createAdapter(): DialectAdapter {
    return new PostgresMigrationLock(this.#limits, this.#hosts);
  }
}

const INT8 = 20;

/** Time limit for getting a connection, new or from the pool (ms). */
const CONNECT_WITHIN = 2_000;
const IDLE = 10_000;

interface PostgresSettings {
  /** To each server. */
  connections: number;
  /** Of a statement (ms). */
  timeout: number;
  /** The PEM file of the authority that signed the server's certificate. */
  authority?: string | undefined;
  /** Called with what the operator should know. */
  warn?: ((message: string) => void) | undefined;
  /** Called with the connections. */
  pooled?: ((pool: PoolUse) => void) | undefined;
}

/** Parameters of a URL that are read here. The driver takes some of them to mean something else. */
const OWN_PARAMETERS = ['sslmode', 'sslcert', 'sslkey', 'target_session_attrs'];

/** PostgreSQL, or an engine that speaks its protocol. The first query connects. */
export function postgres(
  url: string,
  { connections, timeout, authority, warn, pooled }: PostgresSettings,
): PostgresDialect {
  if (hasOpenLine(url))
    warn?.(
      'DATABASE_URL: the connection is not encrypted. Add sslmode=verify-full, or sslmode=disable on a private network.',
    );
  const limits = new PostgresLimits(timeout);
  const urls = urlsOfHosts(url).map((each) => new URL(withHost(each)));
  const pools = urls.map((each) => {
    const attributes = each.searchParams.get('target_session_attrs');
    const mustBeWritable = attributes === null ? urls.length > 1 : attributes !== 'any';
    const ssl = tlsOf(each, authority);
    for (const name of OWN_PARAMETERS) each.searchParams.delete(name);
    return new pg.Pool({
      connectionString: each.href,
      ...(ssl !== undefined && { ssl }),
      max: connections,
      connectionTimeoutMillis: Math.min(CONNECT_WITHIN, timeout),
      idleTimeoutMillis: Math.min(IDLE, timeout),
      keepAlive: true,
      stream: () => limits.socket(),
      // Not as start-up parameters: PgBouncer refuses connections with parameters it does not know.
      onConnect: async (client) => {
        await client.query(limits.settings);
        if (mustBeWritable) await assertWritable(client as pg.Client);
      },
      types: {
        // Timestamps and counters stay far below 2^53.
        getTypeParser: (oid: number, format?: 'text' | 'binary') =>
          oid === INT8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
      } as pg.CustomTypesConfig,
    });
  });
  const hosts = new PostgresHosts(pools);
  pooled?.(hosts);
  return new LimitedDialect(hosts, limits);
}
