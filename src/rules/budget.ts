import type { FACTORS, FactorKind } from './factors/factors.ts';
import { fingerprint } from './fingerprint.ts';

/** What is guessed. Each factor is counted on its own: a success with one clears nothing of another. */
export type Guessed = Exclude<(typeof FACTORS)[FactorKind]['guessed'], null>;

/** Where a guess comes from: a known device (proven by its device token), a network, or a signed-in session. */
export type Place = { device: string } | { prefix: string } | { session: string };

/** Failures that are forgiven before waits begin. */
const FREE_PER_PLACE = 5;
const FREE_PER_ACCOUNT = 100;

/** The guesses at one factor from one place. `id`: a fingerprint, or the ID of the session. */
export interface PlaceBudget {
  factor: Guessed;
  kind: 'net' | 'device' | 'session';
  id: string;
}

/** A place's own budget, or the one that all networks share for an account. */
export type Budget = PlaceBudget | { factor: Guessed; kind: 'all' };

export function budgetOf(factor: Guessed, place: Place): PlaceBudget {
  if ('device' in place) return { factor, kind: 'device', id: fingerprint(place.device) };
  if ('session' in place) return { factor, kind: 'session', id: place.session };
  return { factor, kind: 'net', id: fingerprint(place.prefix) };
}

export const freeFailures = ({ kind }: Pick<Budget, 'kind'>): number =>
  kind === 'all' ? FREE_PER_ACCOUNT : FREE_PER_PLACE;

/** A right guess does not clear the account's budget: others may still be guessing. */
export const isClearedBySuccess = ({ kind }: Budget): boolean => kind !== 'all';

/** The `key` of the budget's bucket in the row. Other versions read it: its form never changes. */
export const keyOf = (budget: Budget): string =>
  [budget.factor, budget.kind, ...('id' in budget ? [budget.id] : [])].join(' ');

/** The reverse of `keyOf`. A newer version may have written factors and kinds that this one does not know. */
export function readKey(key: string): { factor: string; kind: string } {
  const [factor = '', kind = ''] = key.split(' ', 2);
  return { factor, kind };
}
