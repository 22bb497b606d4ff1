import { closeSync, openSync, type ReadStream, readSync } from 'node:fs';
import { type Csv, csvRows } from './csv-rows.ts';
import { type Line, linesOf } from './import-lines.ts';
import { elementsOf } from './json-elements.ts';
import { UsageError } from './usage-error.ts';

interface Shape {
  /** The member of a JSON document that has the rows. undefined: an array, or JSON Lines. */
  member?: string | undefined;
  /** undefined: the format has no CSV. */
  csv?: Csv | undefined;
}

/** Enough for a byte order mark and the first character. */
const START = 64;

/** Whether the first character that is not blank opens an array. */
function isArray(file: string): boolean {
  const start = Buffer.alloc(START);
  const descriptor = openSync(file, 'r');
  try {
    const length = readSync(descriptor, start, 0, START, 0);
    return /^[\ufeff\s]*\[/.test(start.subarray(0, length).toString());
  } finally {
    closeSync(descriptor);
  }
}

/** Reads the rows of a file from its bytes. */
export type RowReader = (input: ReadStream) => AsyncGenerator<Line>;

/**
 * How the rows of this file are read: as CSV if its name says so, from the member of a JSON document, from an array, or as
 * JSON Lines. Throws if the file cannot be read. Open the stream after this: the error of a stream that nobody reads ends
 * the process.
 */
export function readerOf(file: string, { member, csv }: Shape): RowReader {
  if (/\.csv$/i.test(file)) {
    if (csv === undefined) throw new UsageError('this format is not read as CSV');
    return (input) => csvRows(input, csv);
  }
  return member !== undefined || isArray(file) ? (input) => elementsOf(input, member) : linesOf;
}
