import type { DestinationStream } from 'pino';

/** Bytes in a block, and the longest that a line waits for more (ms). */
const BLOCK = 65_536;
const LONGEST_WAIT = 50;

/** Passes lines on in blocks: a write costs the process more than the lines in it. */
export class LineBlocks {
  readonly #destination: DestinationStream & { flushSync(): void };
  readonly #most: number;
  #block = '';
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(destination: DestinationStream & { flushSync(): void }, most = BLOCK) {
    this.#destination = destination;
    this.#most = most;
  }

  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#bytes + bytes > this.#most) this.#passOn();
    this.#block += line;
    this.#bytes += bytes;
    this.#timer ??= setTimeout(() => this.#passOn(), LONGEST_WAIT);
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
    this.#bytes = 0;
    if (block !== '') this.#destination.write(block);
  }
}
