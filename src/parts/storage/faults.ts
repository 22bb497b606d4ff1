/** What went wrong, by the codes of both databases: SQLSTATE, SQLite's names, and Node's for a socket. */
const holds = (codes: string[]) => {
  const known = new Set<unknown>(codes);
  return (error: unknown): boolean => known.has((error as { code?: unknown } | null)?.code);
};

export const isUniqueViolation = holds(['23505', 'SQLITE_CONSTRAINT_UNIQUE']);

/** Serialisation failure, deadlock: somebody else was first, nothing was written, another try may succeed. */
export const isLostRace = holds(['40001', '40P01']);

/** The time was up: of the statement, of a lock, of the answer, of SQLite's one writer. */
export const isTimeout = holds(['57014', '55P03', 'ETIMEDOUT', 'SQLITE_BUSY']);
