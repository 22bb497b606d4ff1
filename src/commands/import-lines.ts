/** Longest line, in bytes. */
const MAX_LINE = 65_536;
/** Longest line of an export with secrets: a row with a hundred sessions is longer than other lines may be. */
const MAX_ROW_LINE = 4 * 1_024 * 1_024;
/** The reason of a line, a record or an element that is too long. */
export const TOO_LONG = 'is longer than 64 KB';
export const ROW_START = '{"row":';

const LINE_FEED = 0x0a;

export interface Line {
  /** From 1; blank lines count. */
  number: number;
  /** Without its line end. undefined: the line cannot be read. */
  text: string | undefined;
  /** Why it cannot be read. */
  reason?: string;
}

const limitOf = (start: Buffer | undefined): number =>
  start?.subarray(0, ROW_START.length).toString() === ROW_START ? MAX_ROW_LINE : MAX_LINE;

/** Drops a byte order mark at the start of the text. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The lines of a file in UTF-8 that are not blank. A byte order mark and line ends of Windows are no part of a line. A
 * line of more than 64 KB comes without its text, and is never in memory as a whole.
 */
export async function* linesOf(input: AsyncIterable<Buffer>): AsyncGenerator<Line> {
  let number = 0;
  let pieces: Buffer[] = [];
  let length = 0;

  const add = (piece: Buffer) => {
    length += piece.length;
    // The first piece decides about the limit, so it must not be shorter than what tells.
    if (length - piece.length < ROW_START.length) pieces = [Buffer.concat([...pieces, piece])];
    else pieces.push(piece);
    if (length > limitOf(pieces[0])) pieces = pieces.slice(0, 1);
  };
  const end = (): Line | undefined => {
    number += 1;
    const isTooLong = length > limitOf(pieces[0]);
    const bytes = Buffer.concat(pieces);
    pieces = [];
    length = 0;
    if (isTooLong) return { number, text: undefined, reason: TOO_LONG };
    try {
      const text = utf8.decode(bytes).trim();
      return text === '' ? undefined : { number, text };
    } catch {
      return { number, text: undefined, reason: 'is not UTF-8' };
    }
  };

  for await (const chunk of input) {
    let from = 0;
    for (;;) {
      const at = chunk.indexOf(LINE_FEED, from);
      if (at === -1) break;
      add(chunk.subarray(from, at));
      const line = end();
      if (line) yield line;
      from = at + 1;
    }
    add(chunk.subarray(from));
  }
  const line = end();
  if (line) yield line;
}
