/** Recognises errors by code: SQLSTATE (PostgreSQL), SQLite's result codes, and Node's socket errors. */
const holds = (codes: string[]) => {
  const known = new Set<unknown>(codes);
  return (error: unknown): boolean => known.has((error as { code?: unknown } | null)?.code);
};

export const isUniqueViolation = holds(['23505', 'SQLITE_CONSTRAINT_UNIQUE']);

/** Serialisation failure or deadlock: nothing was written, and a retry may succeed. */
export const isLostRace = holds(['40001', '40P01']);

/** A timeout: of the statement, a lock, the socket, or SQLite's single writer. */
export const isTimeout = holds(['57014', '55P03', 'ETIMEDOUT', 'SQLITE_BUSY']);
