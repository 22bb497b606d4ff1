/** What a hash costs that is made of memory. */
export interface HashCost {
  /** KiB. */
  memory: number;
  /** How often the memory is passed over. */
  passes: number;
}

/** KiB, and KiB that are passed over: with more, one sign-in would hold a hash thread for longer than is admitted. */
const MAX_MEMORY = 1_048_576;
const MAX_PASSED = 4 * MAX_MEMORY;
/** RFC 9106 section 3.1: 8 KiB for each lane. */
const MIN_MEMORY = 8;

export const isBearable = ({ memory, passes }: HashCost): boolean =>
  memory <= MAX_MEMORY && memory * passes <= MAX_PASSED;

/**
 * Whether an Argon2 hash of this cost may be computed. What stands in a row is not to be trusted: one large number
 * would keep everybody else waiting for minutes. `configured`: what the operator chose may always be spent.
 */
export const isComputable = (cost: HashCost, configured?: HashCost): boolean =>
  cost.memory >= MIN_MEMORY &&
  cost.passes >= 1 &&
  (isBearable(cost) ||
    (configured !== undefined &&
      cost.memory <= configured.memory &&
      cost.memory * cost.passes <= configured.memory * configured.passes));
