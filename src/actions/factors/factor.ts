import type { Context } from '../../context.ts';
import type { NoticeName } from '../../parts/mail/messages/notice.ts';
import type { Turn } from '../../parts/passwords/hash-queue.ts';
import type { Factor as Guessed } from '../../rules/budget.ts';
import type { User } from '../../schemas/user.ts';
import type { Assertion } from '../../schemas/webauthn.ts';

/** What a caller gives to prove a factor, by kind. The names of the kinds are those of `methods` on the wire. */
export interface Given {
  passkey: Assertion;
  totp: string;
  recovery_code: string;
}
export type Kind = keyof Given;
export type Proof = { [K in Kind]: { kind: K; given: Given[K] } }[Kind];

/** The user with the proof spent, or undefined if it is wrong. Part of a decision: fast, and it may run several times. */
export type Check = (user: User, now: number) => User | undefined;

/** One way to prove who one is, after the first step of a sign-in or again later. `factors.ts` lists them all. */
export interface Factor<K extends Kind> {
  /** What a right proof adds to `amr` (RFC 8176). */
  amr(given: Given[K]): string[];
  /** Whose budget its guesses use up (`rules/budget.ts`). */
  guessed: Guessed;
  /** The letter to the owner after it has signed in, if it is unusual. */
  notice?: NoticeName;
  /** Whether the user can prove it now. */
  isReady(user: User): boolean;
  /** The slow work, before the row is changed. Takes as long if there is no user, or none who has it. */
  prepare(
    context: Context,
    attempt: { user: User | undefined; given: Given[K]; turn: Turn },
  ): Promise<Check>;
}
