import type { UnreadableRow } from './users.ts';

/** Most IDs remembered; further rows are neither logged nor counted. */
const MAX_REMEMBERED = 10_000;

interface Log {
  error(details: object, message: string): void;
}

/** The rows that this node could not read. Each is logged once. */
export class UnreadableRows {
  readonly #ids = new Set<string>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  get count(): number {
    return this.#ids.size;
  }

  add({ id, message }: UnreadableRow): void {
    if (this.#ids.has(id) || this.#ids.size >= MAX_REMEMBERED) return;
    this.#ids.add(id);
    this.#log.error({ event: 'storage.row_unreadable', user: id }, message);
  }
}
