/** The cost of a memory-hard hash. */
export interface HashCost {
  /** KiB. */
  memory: number;
  /** Number of passes over the memory. */
  passes: number;
}

/** Limits of memory (KiB) and of memory times passes: beyond them, one sign-in would block a hash thread for too long. */
const MAX_MEMORY = 1_048_576;
const MAX_PASSED = 4 * MAX_MEMORY;
/** RFC 9106 section 3.1: 8 KiB for each lane. */
const MIN_MEMORY = 8;

export const isBearable = ({ memory, passes }: HashCost): boolean =>
  memory <= MAX_MEMORY && memory * passes <= MAX_PASSED;

/**
 * Whether an Argon2 hash of this cost may be computed. Costs in a row are untrusted: one large number would make all
 * other requests wait for minutes. `configured`: the operator's own cost, which is always acceptable.
 */
export const isComputable = (cost: HashCost, configured?: HashCost): boolean =>
  cost.memory >= MIN_MEMORY &&
  cost.passes >= 1 &&
  (isBearable(cost) ||
    (configured !== undefined &&
      cost.memory <= configured.memory &&
      cost.memory * cost.passes <= configured.memory * configured.passes));
