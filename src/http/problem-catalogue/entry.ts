import type { ProblemCode } from '../../schemas/problem.ts';

export interface CatalogueEntry {
  status: number;
  title: string;
  /** The `detail` of an answer, where the refusal has none of its own. */
  detail: string;
  /** For the page of the code: when this happens. */
  cause: string;
  /** For the page of the code: what the caller should do. */
  remedy: string;
}

/** The entries of one file. A code that is not in `ProblemCode` does not compile. */
export type Entries = Partial<Record<ProblemCode, CatalogueEntry>>;
