import type { Line } from './import-lines.ts';
import { textOf } from './json-elements.ts';
import { UsageError } from './usage-error.ts';

export interface Csv {
  /** The names that the header must have. */
  columns: readonly string[];
  /** The name of a column as the format reads it. */
  column?(name: string): string;
}

/** Longest record, in bytes. */
const MAX_RECORD = 65_536;
const QUOTE = 0x22;
const COMMA = 0x2c;
const LINE_FEED = 0x0a;
/** At the start of the file it is no part of the first field. */
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** RFC 4180 section 2: a field in quotes, where a quote is doubled, or one without; then a comma or the end. */
const FIELD = /(?:"([^"]*(?:""[^"]*)*)"|([^",\r\n]*))(,|\r?$)/y;

/** How PostgreSQL, MySQL and SQL Server write NULL: always without quotes. */
const NULLS = ['', 'NULL', '\\N'];

/** undefined: not CSV. null: NULL. */
function fieldsOf(record: string): (string | null)[] | undefined {
  const fields: (string | null)[] = [];
  FIELD.lastIndex = 0;
  for (;;) {
    const found = FIELD.exec(record);
    if (found === null) return undefined;
    const [, quoted, plain = '', end] = found;
    if (quoted !== undefined) fields.push(quoted.replaceAll('""', '"'));
    else fields.push(NULLS.includes(plain) ? null : plain);
    if (end !== ',') return fields;
  }
}

/**
 * The records: a line feed inside quotes ends none. A quote opens only at the start of a field, so a stray one spoils its
 * own record alone. Their length in memory is bounded.
 */
async function* recordsOf(input: AsyncIterable<Buffer>): AsyncGenerator<Line> {
  let number = 0;
  let pieces: Buffer[] = [];
  let length = 0;
  let isQuoted = false;
  /** At the start of a field; or after a quote that closed one, where a second quote means a quote. */
  let mayOpen = true;

  const keep = (piece: Buffer) => {
    length += piece.length;
    if (length > MAX_RECORD) pieces = [];
    else pieces.push(piece);
  };
  for await (const chunk of input) {
    let from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (isQuoted) {
        isQuoted = byte !== QUOTE;
        mayOpen = !isQuoted;
        continue;
      }
      const isMark = number === 0 && byte === BYTE_ORDER_MARK[length + at - from];
      isQuoted = byte === QUOTE && mayOpen;
      mayOpen = byte === COMMA || byte === LINE_FEED || (isMark && mayOpen);
      if (byte === LINE_FEED) {
        keep(chunk.subarray(from, at));
        yield textOf(number, pieces, length);
        number += 1;
        pieces = [];
        length = 0;
        from = at + 1;
      }
    }
    keep(chunk.subarray(from));
  }
  if (isQuoted) yield { number, text: undefined, reason: 'has a quote that does not end' };
  else yield textOf(number, pieces, length);
}

function namesOf({ text = '' }: Line, { columns, column = (name) => name }: Csv): string[] {
  const names = fieldsOf(text)?.map((name) => column(String(name))) ?? [];
  const missing = columns.find((name) => !names.includes(name));
  if (missing !== undefined) throw new UsageError(`the CSV file has no column ${missing}`);
  if (new Set(names).size < names.length)
    throw new UsageError('the CSV file has two columns of one name');
  return names;
}

/**
 * The rows of a CSV file (RFC 4180, in UTF-8), numbered from 1, as JSON objects of texts and nulls. Its first record has
 * the names. A byte order mark and blank lines are no part of a row. Throws UsageError if a column is missing.
 */
export async function* csvRows(input: AsyncIterable<Buffer>, csv: Csv): AsyncGenerator<Line> {
  let names: string[] | undefined;
  let number = 0;
  for await (const record of recordsOf(input)) {
    if (record.text?.trim() === '') continue;
    if (names === undefined) {
      names = namesOf(record, csv);
      continue;
    }
    number += 1;
    const fields = record.text === undefined ? undefined : fieldsOf(record.text);
    if (fields?.length === names.length)
      yield {
        number,
        text: JSON.stringify(Object.fromEntries(names.map((name, at) => [name, fields[at]]))),
      };
    else
      yield {
        number,
        text: undefined,
        reason: record.reason ?? 'is not CSV with the columns of the header',
      };
  }
  if (names === undefined) namesOf({ number, text: undefined }, csv);
}
