import { isTimeout } from './faults.ts';

/**
 * Serialises the changes of each row. Changes on one node never race, and a row locked by another node uses one
 * connection, not the whole pool.
 */
export class RowTurns {
  /** By row: the outcome of the last queued change, a timeout fault or undefined. */
  readonly #last = new Map<string, Promise<{ fault: unknown } | undefined>>();

  /** When a change times out, those queued behind it fail with the same fault instead of timing out one by one. */
  async run<T>(row: string, change: () => Promise<T>): Promise<T> {
    const before = this.#last.get(row) ?? Promise.resolve(undefined);
    const turn = before.then((timeout) => {
      if (timeout) throw timeout.fault;
      return change();
    });
    const ended = turn.then(
      () => undefined,
      (fault: Error) => (isTimeout(fault.cause) ? { fault } : undefined),
    );
    this.#last.set(row, ended);
    try {
      return await turn;
    } finally {
      if (this.#last.get(row) === ended) this.#last.delete(row);
    }
  }
}
