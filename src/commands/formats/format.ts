import { z } from 'zod';
import { isReserved } from '../../parts/storage/decoy-rows.ts';
import { cleanName } from '../../schemas/fields.ts';
import type { Csv } from '../csv-rows.ts';

/** A user as another system exports it. */
export type Row = Record<string, unknown>;

/** A line of an import (`ImportedUser`), which is checked later. */
export interface Converted {
  user: Row;
  /** The user has a second factor there that the file does not contain, or that is not supported. */
  hasLostFactor?: boolean;
}

export interface Source {
  file: string;
  /** A file with parameters of the hashes. */
  hashConfig: string | undefined;
  /** A file with the rows of a second table. */
  accounts: string | undefined;
  /** Milliseconds. */
  now: number;
}

export interface Format {
  /** What the file is, for the help. */
  file: string;
  /** The member of the JSON document that has the users. undefined: an array, or JSON Lines. */
  member?: string;
  /** undefined: not read as CSV. */
  csv?: Csv;
  /** Prepares the conversion of the rows of one file. */
  open(source: Source): Promise<(row: Row) => Converted>;
}

export const isRow = (value: unknown): value is Row =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** In CSV a column of JSON is text. Throws if it is not JSON. */
const jsonIn = (value: unknown): unknown =>
  typeof value === 'string' && /^[[{]/.test(value) ? JSON.parse(value) : value;

/** The member as an object; empty if it is none. */
export const rowIn = (row: Row, member: string): Row => {
  const value = jsonIn(row[member]);
  return isRow(value) ? value : {};
};

/** The objects of a member that is an array. */
export const rowsIn = (row: Row, member: string): Row[] => {
  const value = jsonIn(row[member]);
  return Array.isArray(value) ? value.filter(isRow) : [];
};

/** Databases without a boolean type write 0 and 1. In CSV, PostgreSQL writes t, and SQL Server writes True. */
export const isTrue = (value: unknown): boolean =>
  ['1', 't', 'true'].includes(String(value).toLowerCase());

export const isSet = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== '';

/** RFC 9562, with its version and variant: some systems write other numbers in the same form. */
const Uuid = z.uuid();

/** The ID as the member `id`, if it is a UUID; otherwise the user gets a new one. */
export const idOf = (value: unknown): { id?: string } => {
  const id = String(value).toLowerCase();
  return Uuid.safeParse(id).success && !isReserved(id) ? { id } : {};
};

/** The first text that is not blank, without characters that a name may not have, and shortened. */
export function nameOf(...candidates: unknown[]): string | null {
  const names = candidates.filter((text) => typeof text === 'string').map(cleanName);
  const found = names.find((name) => name !== '');
  // Whole characters, within a limit that counts units of UTF-16.
  return found === undefined
    ? null
    : found
        .slice(0, 100)
        .replace(/\p{Cs}$/u, '')
        .trim();
}

/** In CSV an array is text: `["a","b"]` in JSON, `{a,b}` in PostgreSQL. */
const listIn = (text: string): string[] =>
  (/^[[{]/.test(text) ? text.slice(1, -1).replaceAll('"', '') : text).split(',');

/** Names of roles or groups in the form that roles have here. Takes an array, or a text with commas. */
export function rolesOf(value: unknown): string[] {
  const names = typeof value === 'string' ? listIn(value) : Array.isArray(value) ? value : [];
  const roles = names
    .filter((name) => typeof name === 'string')
    .map((name) => name.trim().toLowerCase().replaceAll(/\s+/g, '-'))
    .filter((name) => name !== '');
  return [...new Set(roles)];
}

export const statusOf = (isDisabled: boolean) => (isDisabled ? 'disabled' : 'active');
