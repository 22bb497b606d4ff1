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

/** Error codes of both databases: SQLSTATE, SQLite's names, and Node's for a socket. */
const hasCode = (...codes: string[]) => {
  const known = new Set<unknown>(codes);
  return (error: unknown): boolean => known.has((error as { code?: unknown } | null)?.code);
};

export const isUniqueViolation = hasCode('23505', 'SQLITE_CONSTRAINT_UNIQUE');

/** Serialization failure or deadlock: another transaction won, nothing was written, and a retry may succeed. */
export const isLostRace = hasCode('40001', '40P01');

/** A time limit was reached: of the statement, a lock, the answer, or SQLite's one writer. */
export const isTimeout = hasCode('57014', '55P03', 'ETIMEDOUT', 'SQLITE_BUSY');
