/** The database failed for a reason that is not the caller's: it did not answer, or refused the query. */
export class StorageFault extends Error {}

/** A row that this version cannot read: it is damaged, or a newer version wrote it. Other rows are not affected. */
export class UnreadableRow extends StorageFault {
  readonly id: string;

  constructor(id: string, what: string) {
    super(`row ${id}: ${what}`);
    this.id = id;
  }
}

/** Another user has this address. */
export class EmailTaken extends Error {}

/** Another user is linked with this account at an outside provider. */
export class IdentityTaken extends Error {}

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null)?.code;

/** Another write came first. Rolls a transaction back. */
export class LostRace extends Error {}

/** Error codes of both databases: SQLSTATE, SQLite's names, and Node's for a socket. */
const hasCode = (...codes: string[]) => {
  const known = new Set<unknown>(codes);
  return (error: unknown): boolean => known.has(codeOf(error));
};

/** The user of the database may not connect, or not do this. */
export const isForbidden = (error: unknown): boolean => /^(28|42501$)/.test(String(codeOf(error)));

export const isUniqueViolation = hasCode('23505', 'SQLITE_CONSTRAINT_UNIQUE');

/** What another user has already. PostgreSQL names the index, SQLite the column, and neither a value. */
export const takenOf = (error: unknown): EmailTaken | IdentityTaken => {
  const { constraint, message } = error as { constraint?: string; message: string };
  return /identity_[1-4]/.test(constraint ?? message) ? new IdentityTaken() : new EmailTaken();
};

/** Serialization failure or deadlock: another transaction won, nothing was written, and a retry may succeed. */
export const isLostRace = hasCode('40001', '40P01');

/** A time limit was reached: of the statement, a lock, the answer, or SQLite's one writer. */
export const isTimeout = hasCode('57014', '55P03', 'ETIMEDOUT', 'SQLITE_BUSY');

/** A standby, or a setting; SQLite has several codes for it. */
const isReadOnly = (error: unknown): boolean =>
  /^(25006$|SQLITE_READONLY)/.test(String(codeOf(error)));

const isDiskFull = hasCode('53100', 'SQLITE_FULL', 'ENOSPC');

/** Why the database takes no writes, in a word for `/readyz`. `unavailable`: for any other reason. */
export const WRITE_FAULTS = ['read_only', 'disk_full', 'timeout', 'unavailable'] as const;
export type WriteFault = (typeof WRITE_FAULTS)[number];

export function writeFaultOf(error: Error): WriteFault {
  const reason = error instanceof StorageFault ? error.cause : error;
  if (isReadOnly(reason)) return 'read_only';
  if (isDiskFull(reason)) return 'disk_full';
  return isTimeout(reason) ? 'timeout' : 'unavailable';
}

/** Whether no connection is made at all: nobody listens there, or there is no way to it. */
export const isAway = hasCode(
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
);
const isCutOff = hasCode('ECONNRESET', 'EPIPE');

/** The kind of a failure, for `latchkey_database_errors_total`. */
export function kindOfFault(error: unknown): string {
  if (error instanceof LostRace || isLostRace(error)) return 'lost_race';
  if (isTimeout(error)) return 'timeout';
  if (isReadOnly(error)) return 'read_only';
  if (isDiskFull(error)) return 'disk_full';
  // Classes 08 and 57P: the connection is lost, or the server stops or starts. The driver's own errors have no code.
  const { code = '', message = '' } = error as { code?: string; message?: string };
  const isLost =
    /^(08|57P)/.test(code) || /^(Connection terminated|timeout exceeded)/.test(message);
  return isLost || isCutOff(error) || isAway(error) ? 'unreachable' : 'other';
}
