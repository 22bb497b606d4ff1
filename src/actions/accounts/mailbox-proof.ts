import { Refusal } from '../../rules/refusal.ts';
import type { User } from '../../schemas/user.ts';

/**
 * For everything that signs in besides the password: nobody may add it to an account whose address may be another person's.
 * Refuses with `email_unverified`.
 */
export function assertMailboxProven(user: User): void {
  if (user.email_verified_at === null) throw new Refusal('email_unverified');
}
