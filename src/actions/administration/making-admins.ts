import type { AccessClaims } from '../../schemas/claims.ts';
import type { User } from '../../schemas/user.ts';
import { unproven } from '../accounts/recent.ts';
import { ADMIN } from './administration.ts';

type Rights = Pick<User, 'roles' | 'status'>;

/** Whether the change makes a new administrator: by giving the role, or by enabling a disabled user who has it. */
const makesAdmin = (before: Rights | undefined, after: Rights): boolean =>
  after.roles.includes(ADMIN) &&
  (!before?.roles.includes(ADMIN) || (before.status !== 'active' && after.status === 'active'));

/**
 * A new administrator outlives the access token that made it, so an old token is not enough. Refuses with
 * `step_up_required` unless `isProven`: the caller has just proven who they are.
 */
export function assertMayMake(
  { before, after }: { before?: Rights; after: Rights },
  { caller, isProven }: { caller: AccessClaims; isProven: boolean },
): void {
  if (!isProven && makesAdmin(before, after)) throw unproven(caller);
}
