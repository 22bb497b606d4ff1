import type { InputFault, ProblemCode } from '../schemas/problem.ts';

interface Circumstances {
  /** Public: sent to the caller. */
  detail?: string;
  /** Public: which fields of the request are wrong. */
  errors?: InputFault[];
  /** Public: seconds until a retry makes sense. */
  retryAfter?: number;
  /** Private: logged, never sent. */
  reason?: string;
  /** Private: the ID of the account. */
  user?: string | undefined;
}

/** An expected error, with a code of the closed list. Anything else that is thrown is a bug or an outage. */
export class Refusal extends Error {
  readonly code: ProblemCode;
  readonly circumstances: Circumstances;

  constructor(code: ProblemCode, circumstances: Circumstances = {}) {
    super(code);
    this.code = code;
    this.circumstances = circumstances;
  }
}
