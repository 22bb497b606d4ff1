import { placeOf } from '../schemas/connection-url.ts';
import { EX_UNAVAILABLE, type Explanation, REFUSED, wordsOf } from '../start-faults.ts';

type Answer = Omit<Explanation, 'message'> & { when: RegExp; say: string };

const FAILED = { exitCode: EX_UNAVAILABLE } as const;
const AWAY = { exitCode: EX_UNAVAILABLE, isPassing: true } as const;

const NEWER: Answer = {
  ...REFUSED,
  when: /newer schema/,
  say: 'was changed by a newer version of Latchkey, and this version cannot work with it. Run the newer version, or restore a backup.',
};

/** Errors of SQLite and the file system. The first match counts. */
const SQLITE: Answer[] = [
  NEWER,
  {
    ...REFUSED,
    when: /^SQLITE_NOTADB/,
    say: 'is not a SQLite database. Name another file in DATABASE_URL.',
  },
  {
    ...FAILED,
    when: /^SQLITE_(BUSY|LOCKED)/,
    say: 'is locked by another process. Stop that process, or name another file in DATABASE_URL.',
  },
  {
    ...FAILED,
    when: /^(SQLITE_(FULL|IOERR|CORRUPT)|ENOSPC|EIO)/,
    say: 'cannot be read or written. Check the disk and its free space.',
  },
  {
    ...REFUSED,
    when: /^(SQLITE_(CANTOPEN|READONLY|PERM|AUTH)|E[A-Z]+ )/,
    say: 'cannot be opened. Give this user read and write access to it and its folder, or name another file in DATABASE_URL.',
  },
  { ...FAILED, when: /^SQLITE_|changed concurrently/, say: 'cannot complete the operation now.' },
];

/**
 * Errors of PostgreSQL (by SQLSTATE), of PgBouncer (which has 08P01 for most), of the driver, of TLS and the network. The
 * first match counts.
 */
const POSTGRES: Answer[] = [
  NEWER,
  {
    ...REFUSED,
    when: /no encryption|SSL off|SSL required|TLS required/i,
    say: 'accepts only encrypted connections from here. Add sslmode=verify-full to DATABASE_URL.',
  },
  {
    ...REFUSED,
    when: /^28|^08P01 .*(authentication failed|no such user|login rejected)|client password must be/,
    say: 'refuses the user of DATABASE_URL. Correct its name and password, or allow that user to connect from this host (pg_hba.conf).',
  },
  {
    ...REFUSED,
    when: /^3D000|^08P01 .*no such database/,
    say: 'does not exist. Create it, or name another database in DATABASE_URL.',
  },
  {
    ...REFUSED,
    when: /^08P01 .*unsupported startup parameter/,
    say: 'is behind a PgBouncer that refuses a parameter of DATABASE_URL. Remove the parameter, or add it to ignore_startup_parameters.',
  },
  {
    ...AWAY,
    when: /^53300|^08P01 .*(no more connections|query_wait_timeout)|remaining connection slots/,
    say: 'has no connection left. Lower DATABASE_POOL, or raise its limit (max_connections; PgBouncer: max_client_conn, pool_size).',
  },
  {
    ...REFUSED,
    when: /^42501/,
    say: 'does not allow the user of DATABASE_URL to create tables. As its owner, run GRANT CREATE ON SCHEMA public TO that user.',
  },
  {
    ...AWAY,
    when: /^25006/,
    say: 'is read-only. Name the primary server in DATABASE_URL.',
  },
  {
    ...REFUSED,
    when: /^ERR_PEM_FILE/,
    say: 'needs a certificate file that cannot be read. Name a PEM file in DATABASE_CA (and in sslcert and sslkey).',
  },
  {
    ...REFUSED,
    when: /does not support SSL/,
    say: 'offers no TLS. Turn it on (ssl = on in postgresql.conf), or on a private network set sslmode=disable in DATABASE_URL.',
  },
  {
    ...REFUSED,
    when: /^ERR_TLS_CERT_ALTNAME_INVALID/,
    say: 'has a certificate for another host name. Use a name of the certificate in DATABASE_URL, or sslmode=verify-ca with DATABASE_CA.',
  },
  {
    ...REFUSED,
    when: /^(SELF_SIGNED_CERT|DEPTH_ZERO|UNABLE_TO_(GET_ISSUER|VERIFY))/,
    say: "has a certificate of an unknown authority. Name the file with that authority's certificate in DATABASE_CA.",
  },
  {
    ...REFUSED,
    when: /^CERT_(HAS_EXPIRED|NOT_YET_VALID)/,
    say: 'has a certificate that is not valid now. Renew it, or correct the clock of this machine.',
  },
  {
    ...REFUSED,
    when: /^ERR_|CERT|UNABLE_TO|SSL connection/,
    say: 'cannot be reached over TLS. Correct the certificate of the server, or the sslmode in DATABASE_URL.',
  },
  {
    ...AWAY,
    when: /^(ENOTFOUND|EAI_)/,
    say: 'has a host name that cannot be found. Correct DATABASE_URL, or the name server of this machine.',
  },
  {
    ...AWAY,
    when: /^57P03/,
    say: 'is starting up or shutting down.',
  },
  {
    ...FAILED,
    when: /^55P03/,
    say: 'cannot be changed while a long transaction uses its table. End that transaction (pg_stat_activity), and start again.',
  },
  {
    ...AWAY,
    when: /^(E[A-Z_]+ |08|57P0)|timeout|terminated/,
    say: 'does not answer. Start it, or correct DATABASE_URL.',
  },
  {
    ...FAILED,
    when: /^[0-9A-Z]{5} |changed concurrently/,
    say: 'cannot complete the operation now. See the PostgreSQL log.',
  },
];

/** `databaseFault(url)` explains why the database cannot be opened or migrated. */
export const databaseFault = (url: string) => (error: unknown) => {
  const { code, words } = wordsOf(error);
  const answers = url.startsWith('file:') ? SQLITE : POSTGRES;
  const answer = answers.find(({ when }) => when.test(words));
  if (answer === undefined) return undefined;
  const { say, when: _, ...rest } = answer;
  return { ...rest, message: `The database ${placeOf(url)} ${say}${code && ` (${code})`}` };
};
