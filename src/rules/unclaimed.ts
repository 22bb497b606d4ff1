import type { User } from '../schemas/user.ts';

/** Whether someone who does not hold the mailbox may have made the account, or given it this address. */
export const isUnclaimed = (user: User): boolean =>
  user.email_verified_at === null || user.claimed_at === 0;
