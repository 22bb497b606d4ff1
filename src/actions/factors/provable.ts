import type { Context } from '../../context.ts';
import type { NoticeName } from '../../parts/mail/messages/notice.ts';
import type { Turn } from '../../parts/passwords/hash-queue.ts';
import type { User } from '../../schemas/user.ts';

/** The user with the proof spent, or undefined if it is wrong. Part of a decision: fast, and it may run several times. */
export type Check = (user: User, now: number) => User | undefined;

/**
 * How a factor is proven, after the first step of a sign-in or again later. `factors.ts` lists those that can be; what else
 * there is to know about a factor is in `rules/factors/`. `Given`: what the caller gives to prove it.
 */
export interface Provable<Given> {
  /** What this proof adds to `amr` (RFC 8176), if not every proof adds the same. */
  amr?(given: Given): string[];
  /** The letter to the owner after it has signed in, if it is unusual. */
  notice?: NoticeName;
  /** The slow work, before the row is changed. Takes as long if there is no user, or none who has it. */
  prepare(
    context: Context,
    attempt: { user: User | undefined; given: Given; turn: Turn },
  ): Promise<Check>;
}
