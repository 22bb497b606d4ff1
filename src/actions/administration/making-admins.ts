import { Refusal } from '../../rules/refusal.ts';
import type { User } from '../../schemas/user.ts';
import { ADMIN } from './administration.ts';

type Rights = Pick<User, 'roles' | 'status'>;

/** Whether this makes an administrator of somebody who is none: by the role, or by enabling who has it. */
const makesAdmin = (before: Rights | undefined, after: Rights): boolean =>
  after.roles.includes(ADMIN) &&
  (!before?.roles.includes(ADMIN) || (before.status !== 'active' && after.status === 'active'));

/**
 * An administrator outlives the access token that made one, so a stolen token makes none. Refuses with
 * `invalid_input` unless `isProven`: the caller has just given the password again.
 */
export function assertMayMake(
  { before, after }: { before?: Rights; after: Rights },
  isProven: boolean,
): void {
  if (isProven || !makesAdmin(before, after)) return;
  const message = 'is required to give the role admin';
  throw new Refusal('invalid_input', { errors: [{ path: '/password', message }] });
}
