import type { KeyRing } from '../parts/keys/key-ring.ts';
import { sealerOf } from '../parts/second-factor/secret-box.ts';
import { isReserved } from '../parts/storage/decoy-rows.ts';
import { emailKey } from '../rules/accounts.ts';
import { MovedRow, MovedRowsEnd } from '../schemas/portable-user.ts';
import type { User } from '../schemas/user.ts';

const isRowLine = (input: unknown): boolean =>
  typeof input === 'object' && input !== null && ('row' in input || 'end' in input);

const keyOf = ({ email }: User): string | null => (email === null ? null : emailKey(email));

/** Reads the lines of an export with secrets, and whether the file is complete. */
export class MovedRows {
  readonly #keys: KeyRing;
  /** Rows since the last end of an export. */
  #rows = 0;

  constructor(keys: KeyRing) {
    this.#keys = keys;
  }

  /** A row; a reason to refuse the line; null: the end of an export; undefined: a line of another kind. */
  read(input: unknown): User | string | null | undefined {
    if (!isRowLine(input)) return undefined;
    const end = MovedRowsEnd.safeParse(input);
    if (end.success) {
      const isWhole = end.data.end.rows === this.#rows;
      this.#rows = 0;
      return isWhole ? null : 'is the end of an export with another number of rows';
    }
    this.#rows += 1;
    const { success, data, error } = MovedRow.safeParse(input);
    // The path alone: a message may contain a value.
    if (!success)
      return `${error.issues.map(({ path }) => path.join('.')).join(', ')} cannot be read`;
    const { row } = data;
    if (isReserved(row.id) || row.email_key !== keyOf(row)) return 'is not a row of a user';
    const { pending, ...mfa } = row.mfa;
    // No code of its user would be accepted.
    if (mfa.totp && !this.#canOpen(mfa.totp.secret))
      return 'has a second factor that only another SIGNING_KEYS can decrypt';
    // The user begins again.
    return pending && !this.#canOpen(pending.secret) ? { ...row, mfa } : row;
  }

  #canOpen(secret: string): boolean {
    return this.#keys.masterOf(sealerOf(secret)) !== undefined;
  }

  /** Whether the end of the last export was read, or there was none. */
  get isComplete(): boolean {
    return this.#rows === 0;
  }
}
