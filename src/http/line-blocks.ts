import type { DestinationStream } from 'pino';

/** Characters in a block, and the longest that a line waits for more (ms). */
const BLOCK = 65_536;
const LONGEST_WAIT = 50;

/** Passes lines on in blocks: a write costs the process more than the lines in it. */
export class LineBlocks {
  readonly #destination: DestinationStream & { flushSync(): void };
  #block = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(destination: DestinationStream & { flushSync(): void }) {
    this.#destination = destination;
  }

  write(line: string): void {
    this.#block += line;
    if (this.#block.length >= BLOCK) this.#passOn();
    else this.#timer ??= setTimeout(() => this.#passOn(), LONGEST_WAIT);
  }

  flushSync(): void {
    this.#passOn();
    this.#destination.flushSync();
  }

  #passOn(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const block = this.#block;
    this.#block = '';
    if (block !== '') this.#destination.write(block);
  }
}
