import { isTimeout } from './faults.ts';

/**
 * One change of a row at a time: those of one node never race, and a row which somebody else has locked takes one
 * connection, and not the whole pool.
 */
export class RowTurns {
  /** For each row how its last change in the queue ends: with the fault of a timeout, or without one. */
  readonly #last = new Map<string, Promise<{ fault: unknown } | undefined>>();

  /** Those who wait behind a change that runs out of time share its fault: one by one they would wait as long again. */
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
