interface Event {
  at: number;
  happen: () => void | Promise<void>;
}

/** A clock that jumps from event to event. */
export class Timeline {
  now: number;
  readonly #events: Event[] = [];

  constructor(now: number) {
    this.now = now;
  }

  /** After `delay` (ms). Events of the same millisecond keep their order. */
  after(delay: number, happen: Event['happen']): void {
    const at = this.now + Math.max(0, Math.round(delay));
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle] as Event).at <= at) low = middle + 1;
      else high = middle;
    }
    this.#events.splice(low, 0, { at, happen });
  }

  /** Everything that happens at the next instant, at the same time. */
  async step(): Promise<void> {
    const at = this.#events[0]?.at;
    if (at === undefined) return;
    this.now = at;
    const count = this.#events.findIndex((event) => event.at !== at);
    const due = this.#events.splice(0, count === -1 ? this.#events.length : count);
    await Promise.all(due.map(({ happen }) => happen()));
  }
}
