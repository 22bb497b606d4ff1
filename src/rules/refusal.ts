import type { InputFault, ProblemCode } from '../schemas/problem.ts';

interface Circumstances {
  /** Public: sent to the caller. */
  detail?: string;
  /** Public: where in the request the fault lies. */
  errors?: InputFault[];
  /** Public: seconds until another try makes sense. */
  retryAfter?: number;
  /** Private: logged, never sent. */
  reason?: string;
  /** Private: whose account it was about, by id. */
  user?: string | undefined;
}

/** The service says no, with a code of the closed list. Anything else that is thrown is a bug or a fault. */
export class Refusal extends Error {
  readonly code: ProblemCode;
  readonly circumstances: Circumstances;

  constructor(code: ProblemCode, circumstances: Circumstances = {}) {
    super(code);
    this.code = code;
    this.circumstances = circumstances;
  }
}
