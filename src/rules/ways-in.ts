import type { User } from '../schemas/user.ts';
import type { Issuers } from './factors/factor.ts';
import { EVERY_FACTOR } from './factors/factors.ts';
import { Refusal } from './refusal.ts';

/** Whether anything but a code by mail signs in. `issuers`: of the configured providers; without it, any provider counts. */
export const hasWayIn = (user: User, issuers?: Issuers): boolean =>
  EVERY_FACTOR.some(({ signsIn, count }) => signsIn && count(user, issuers) > 0);

/** Refuses with `last_way_in`. */
export function assertWayIn(user: User, issuers: Issuers): void {
  if (!hasWayIn(user, issuers)) throw new Refusal('last_way_in');
}
