import type { ReadStream } from 'node:fs';
import { closeSync, openSync, readSync } from 'node:fs';
import { ADMIN } from '../actions/administration/administration.ts';
import { type Format, isRow, type Source } from './formats/format.ts';
import { FORMATS } from './formats/formats.ts';
import { type Line, linesOf } from './import-lines.ts';
import { elementsOf } from './json-elements.ts';

export interface ForeignOptions {
  /** A name of `FORMATS`. */
  from: string;
  hashConfig: string | undefined;
  /** Takes over the role admin too. */
  withAdmins: boolean;
  /** Adds users whose second factor is not in the file. */
  withoutSecondFactors: boolean;
}

/** Turns a row of another system into a line of an import, or into a reason to refuse it. */
export type Convert = (input: unknown) => Record<string, unknown> | string;

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

/** The rows of the file: the member of a document, an array, or JSON Lines. */
export function rowsOf(
  from: string,
  { file, input }: { file: string; input: ReadStream },
): AsyncGenerator<Line> {
  const { member } = FORMATS[from] as Format;
  return member !== undefined || isArray(file) ? elementsOf(input, member) : linesOf(input);
}

/** Opens the format. Throws UsageError if it needs an option that is missing. */
export async function converterOf(
  { from, hashConfig, withAdmins, withoutSecondFactors }: ForeignOptions,
  { file, now }: Pick<Source, 'file' | 'now'>,
): Promise<Convert> {
  const convert = await (FORMATS[from] as Format).open({ file, hashConfig, now });
  return (input) => {
    if (!isRow(input)) return 'is not an object';
    try {
      const { user, hasLostFactor = false } = convert(input);
      if (hasLostFactor && !withoutSecondFactors)
        return 'has a second factor that cannot be taken over: see --without-second-factors';
      const roles = user['roles'] as string[];
      // An administrator of the other system is not one here, unless the operator says so.
      return withAdmins ? user : { ...user, roles: roles.filter((role) => role !== ADMIN) };
    } catch {
      return 'does not have the shape of this format';
    }
  };
}
