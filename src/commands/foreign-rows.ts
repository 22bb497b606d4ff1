import { closeSync, createReadStream, openSync, type ReadStream, readSync } from 'node:fs';
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
  const length = readSync(descriptor, start, 0, START, 0);
  closeSync(descriptor);
  return /^[\ufeff\s]*\[/.test(start.subarray(0, length).toString());
}

/** The rows of a file: CSV if its name says so, the member of a JSON document, an array, or JSON Lines. */
export function rowsOf(
  file: string,
  { member, csv, input = createReadStream(file) }: Shape & { input?: ReadStream },
): AsyncGenerator<Line> {
  if (/\.csv$/i.test(file)) {
    if (csv === undefined) throw new UsageError('this format is not read as CSV');
    return csvRows(input, csv);
  }
  return member !== undefined || isArray(file) ? elementsOf(input, member) : linesOf(input);
}
