import { Refusal } from '../../rules/refusal.ts';
import type { User } from '../../schemas/user.ts';

/**
 * For ways in that are added later: nobody may add one to an account whose address may be another person's.
 * Refuses with `email_unverified`.
 */
export function assertMailboxProven(user: User): void {
  if (user.email_verified_at === null) throw new Refusal('email_unverified');
}
