import { emptyUser } from '../../rules/accounts.ts';
import type { User } from '../../schemas/user.ts';

/** A row of migration 001 that belongs to no user: what `/readyz` writes to see whether writes succeed. */
export const PROBE = '00000000-0000-7000-8000-000000000000';

/** How many rows count the guesses at unknown addresses: so many that none of them is hot. */
export const DECOYS = 1_024;

/** The `row_version` of a decoy that nobody has written yet. */
export const UNWRITTEN = -1;

/** `index`: from 0 to `DECOYS` - 1. */
export const decoyId = (index: number): string =>
  PROBE.slice(0, -12) + (index + 1).toString(16).padStart(12, '0');

const IDS = new Set(Array.from({ length: DECOYS }, (_, index) => decoyId(index)));

/** Whether this ID can belong to no user. */
export const isReserved = (id: string): boolean => id === PROBE || IDS.has(id);

/** The row of a decoy before it is first written; undefined for any other ID. Nobody can sign in to it, and no list shows it. */
export const newDecoy = (id: string): User | undefined =>
  IDS.has(id)
    ? { ...emptyUser(id, 'decoy', 0), status: 'deleted', row_version: UNWRITTEN }
    : undefined;
