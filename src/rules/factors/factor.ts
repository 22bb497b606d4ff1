import type { User } from '../../schemas/user.ts';

/** The issuers of the configured providers, by slot. */
export type Issuers = ReadonlyMap<string, string>;

/** What the rules know about one kind of factor. `factors.ts` lists them all. */
export interface Factor {
  /** Every value that it may add to `amr` (RFC 8176). */
  amr: string[];
  /** The name of its budget, in the keys of the throttle buckets: it never changes. null: there is nothing to guess. */
  guessed: string | null;
  /** Whether it signs in by itself. */
  signsIn: boolean;
  /** `asks`: a user who has it signs in with a second step, and it answers one. `answers`: it only answers one. */
  secondStep: 'asks' | 'answers' | 'none';
  /** How many the user has. `issuers`: without those at a provider that is not configured, or is in another slot now. */
  count: (user: User, issuers?: Issuers) => number;
  /** The user as if it had never been added. */
  without: (user: User) => User;
}
