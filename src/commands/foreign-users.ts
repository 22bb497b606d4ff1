import { ADMIN } from '../actions/administration/administration.ts';
import { type RowReader, readerOf } from './foreign-rows.ts';
import { type Format, isRow, type Source } from './formats/format.ts';
import { FORMATS } from './formats/formats.ts';

export interface ForeignOptions {
  /** A name of `FORMATS`. */
  from: string;
  hashConfig: string | undefined;
  accounts: string | undefined;
  /** Takes over the role admin too. */
  withAdmins: boolean;
  /** Adds users whose second factor is not in the file. */
  withoutSecondFactors: boolean;
}

/** Turns a row of another system into a line of an import, or into a reason to refuse it. */
export type Convert = (input: unknown) => Record<string, unknown> | string;

/** How the rows of the file are read. Throws UsageError if the format is not read as CSV, and the file is. */
export const foreignReader = (from: string, file: string): RowReader =>
  readerOf(file, FORMATS[from] as Format);

/** Opens the format. Throws UsageError if it needs an option that is missing. */
export async function converterOf(
  { from, hashConfig, accounts, withAdmins, withoutSecondFactors }: ForeignOptions,
  { file, now }: Pick<Source, 'file' | 'now'>,
): Promise<Convert> {
  const convert = await (FORMATS[from] as Format).open({ file, hashConfig, accounts, now });
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
