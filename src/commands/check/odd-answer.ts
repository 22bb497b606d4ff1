const UNREAD = 'Latchkey sends no such answer. Does something else answer at this URL?';

/** What came instead of an answer, in words. */
export class OddAnswer extends Error {
  readonly mend: string;

  constructor(message: string, mend = UNREAD) {
    super(message);
    this.mend = mend;
  }
}

/** Why no answer came, such as `ECONNREFUSED`. */
export const reasonOf = (error: unknown): string => String((error as NodeJS.ErrnoException).code);

/** The connection failed. */
export class NoAnswer extends OddAnswer {
  constructor(error: unknown) {
    super(
      `no answer: ${reasonOf(error)}`,
      'The connection ended or nothing came for 10 seconds. The log of the proxy says why.',
    );
  }
}
