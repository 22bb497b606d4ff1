import { Refusal } from '../../rules/refusal.ts';
import type { User } from '../../schemas/user.ts';
import { ADMIN } from './administration.ts';

type Rights = Pick<User, 'roles' | 'status'>;

/** Whether the change makes a new administrator: by giving the role, or by enabling a disabled user who has it. */
const makesAdmin = (before: Rights | undefined, after: Rights): boolean =>
  after.roles.includes(ADMIN) &&
  (!before?.roles.includes(ADMIN) || (before.status !== 'active' && after.status === 'active'));

/**
 * A new administrator outlives the access token that made it, so a stolen token must not be enough. Refuses with
 * `invalid_input` unless `isProven`: the caller has just given the password.
 */
export function assertMayMake(
  { before, after }: { before?: Rights; after: Rights },
  isProven: boolean,
): void {
  if (isProven || !makesAdmin(before, after)) return;
  const message = 'is required to give the role admin';
  throw new Refusal('invalid_input', { errors: [{ path: '/password', message }] });
}
