import type { Budget, Place, PlaceBudget } from '../../rules/budget.ts';
import { bucketsAt, withBucketsAt } from '../../rules/decoys.ts';
import { Refusal } from '../../rules/refusal.ts';
import { type Admission, admit, type Verdict, withGuessSettled } from '../../rules/throttle.ts';
import type { Bucket, User } from '../../schemas/user.ts';
import type { Users } from '../storage/users.ts';

/** Whose secret is guessed. */
export interface Subject {
  /** The account, or a decoy; as it was just read. */
  row: User;
  /** Of a decoy: what stands for the unknown address in it. */
  address?: string;
}

/** How a guess ended. Milliseconds. */
interface Settlement {
  began: number;
  verdict: Verdict;
  now: number;
}

/** The buckets of a row that count here: all of an account's, or those of one address in a decoy row. */
interface Part {
  of(row: Bucket[]): Bucket[];
  with(row: Bucket[], buckets: Bucket[], now: number): Bucket[];
}

const WHOLE: Part = { of: (row) => row, with: (_row, buckets) => buckets };

const partOf = (address: string): Part => ({
  of: (row) => bucketsAt(row, address),
  with: (row, buckets, now) => withBucketsAt(row, { address, buckets, now }),
});

/** Reads and writes the buckets of one account or address. */
export interface Ledger {
  /** As it was last read or written. */
  readonly row: User;
  admit(wanted: PlaceBudget, now: number): Promise<Admission>;
  settle(budgets: Budget[], settlement: Settlement): Promise<void>;
}

/** `place`: where the guess comes from; it decides the refusal when the row was removed in the meantime. */
export function ledgerOf(users: Users, { row: read, address }: Subject, place: Place): Ledger {
  const part = address === undefined ? WHOLE : partOf(address);
  const gone = 'session' in place ? 'token_revoked' : 'invalid_credentials';
  let row = read;
  const change = async <T>(
    now: number,
    decide: (buckets: Bucket[]) => { throttle: Bucket[]; result: T },
  ): Promise<T> => {
    const changed = await users.changeRow<T>(row, (seen) => {
      const before = part.of(seen.throttle);
      const { throttle, result } = decide(before);
      const isSame = throttle === before;
      const user = isSame ? seen : { ...seen, throttle: part.with(seen.throttle, throttle, now) };
      return { user, result };
    });
    // The row was removed in the meantime.
    if (changed === undefined) throw new Refusal(gone);
    row = changed.user;
    return changed.result;
  };
  return {
    get row() {
      return row;
    },
    admit: (wanted, now) => change(now, (buckets) => admit(buckets, wanted, now)),
    settle: (budgets, settlement) =>
      change(settlement.now, (buckets) => ({
        throttle: withGuessSettled(buckets, budgets, settlement),
        result: undefined,
      })),
  };
}
