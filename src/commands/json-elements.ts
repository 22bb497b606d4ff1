import { type Line, TOO_LONG } from './import-lines.ts';

/** Longest element, in bytes. */
const MAX_ELEMENT = 65_536;
const MAX_NAME = 64;

const [QUOTE, BACKSLASH, OPEN_ARRAY, OPEN_OBJECT, CLOSE_ARRAY, CLOSE_OBJECT] = Buffer.from(
  '"\\[{]}',
) as unknown as [number, number, number, number, number, number];

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The text of an element, or why it has none. `length` counts pieces that were dropped too. */
export function textOf(number: number, pieces: Buffer[], length: number): Line {
  if (length > MAX_ELEMENT) return { number, text: undefined, reason: TOO_LONG };
  try {
    return { number, text: utf8.decode(Buffer.concat(pieces)) };
  } catch {
    return { number, text: undefined, reason: 'is not UTF-8' };
  }
}

/**
 * The objects of an array in a JSON document, numbered from 1, without reading the document into memory: of the array
 * that is the document itself, or (`member`) of an array that is a member of the document. Checks no more of the
 * document than that it ends.
 */
export async function* elementsOf(
  input: AsyncIterable<Buffer>,
  member: string | undefined,
): AsyncGenerator<Line> {
  /** Of the array. */
  const arrayDepth = member === undefined ? 0 : 1;
  let depth = 0;
  let isInArray = false;
  let isInText = false;
  let isEscaped = false;
  let name = '';
  let number = 0;
  let pieces: Buffer[] = [];
  let length = 0;
  let isInElement = false;

  const keep = (piece: Buffer) => {
    length += piece.length;
    if (length > MAX_ELEMENT) pieces = [];
    else pieces.push(piece);
  };

  for await (const chunk of input) {
    let start = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] as number;
      if (isInText) {
        if (isEscaped) isEscaped = false;
        else if (byte === BACKSLASH) isEscaped = true;
        else if (byte === QUOTE) isInText = false;
        else if (depth === 1 && name.length < MAX_NAME) name += String.fromCharCode(byte);
      } else if (byte === QUOTE) {
        isInText = true;
        if (depth === 1) name = '';
      } else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
        if (isInArray && depth === arrayDepth + 1 && byte === OPEN_OBJECT) {
          isInElement = true;
          start = at;
          number += 1;
        }
        if (depth === arrayDepth && byte === OPEN_ARRAY)
          isInArray = member === undefined || name === member;
        depth += 1;
      } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) {
        depth -= 1;
        if (depth === arrayDepth) isInArray = false;
        if (isInElement && depth === arrayDepth + 1) {
          keep(chunk.subarray(start, at + 1));
          yield textOf(number, pieces, length);
          pieces = [];
          length = 0;
          isInElement = false;
        }
      }
    }
    if (isInElement) keep(chunk.subarray(start));
  }
  if (depth !== 0 || isInText)
    yield { number: number + 1, text: undefined, reason: 'is cut off: the document does not end' };
  else if (number === 0) yield { number: 1, text: undefined, reason: 'is not there' };
}
