import { isTimeout } from './faults.ts';

/**
 * One write of a row at a time, so that a row which somebody else has locked takes one connection of this node, and
 * not the whole pool.
 */
export class RowTurns {
  /** For each row how its last write in the queue ends: with the fault of a timeout, or without one. */
  readonly #last = new Map<string, Promise<{ fault: unknown } | undefined>>();

  /** Those who wait behind a write that runs out of time share its fault: one by one they would wait as long again. */
  async run<T>(row: string, write: () => Promise<T>): Promise<T> {
    const before = this.#last.get(row) ?? Promise.resolve(undefined);
    const turn = before.then((timeout) => {
      if (timeout) throw timeout.fault;
      return write();
    });
    const ended = turn.then(
      () => undefined,
      (fault: unknown) => (isTimeout(fault) ? { fault } : undefined),
    );
    this.#last.set(row, ended);
    try {
      return await turn;
    } finally {
      if (this.#last.get(row) === ended) this.#last.delete(row);
    }
  }
}
