const UNREAD = 'Latchkey sends no such answer. Does something else answer at this URL?';

/** What came instead of an answer, in words. */
export class OddAnswer extends Error {
  readonly mend: string;

  constructor(message: string, mend = UNREAD) {
    super(message);
    this.mend = mend;
  }
}

/** Milliseconds until a wait ends: for a connection, or for an answer. */
export const PATIENCE = 10_000;

/** Why no answer came, such as `ECONNREFUSED`. */
export function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ABORT_ERR' ? 'it takes longer than 10 seconds' : String(code);
}

/** The connection failed. */
export class NoAnswer extends OddAnswer {
  constructor(error: unknown) {
    super(
      `no answer: ${reasonOf(error)}`,
      'The connection ended or nothing came for 10 seconds. The log of the proxy says why.',
    );
  }
}
