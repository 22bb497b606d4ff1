import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import type { Config } from '../config.ts';
import { accentRule } from './accent.ts';

const ROOM = new URL('../pages/', import.meta.url);
const MODULES = new URL('../clients/', import.meta.url);

const textOf = (name: string): string => readFileSync(new URL(name, ROOM), 'utf8');

/** What the pages load, by name: their scripts, the browser modules, and the style sheet in the product's colour. */
export function pageFiles({ PRODUCT_COLOR }: Pick<Config, 'PRODUCT_COLOR'>): Map<string, string> {
  const scripts = readdirSync(ROOM, { encoding: 'utf8', recursive: true }).filter((name) =>
    name.endsWith('.js'),
  );
  return new Map([
    ...scripts.sort().map((name): [string, string] => [name, textOf(name)]),
    ...['client.js', 'client-passkeys.js', 'client-mail-codes.js'].map((name): [string, string] => [
      name,
      readFileSync(new URL(name, MODULES), 'utf8'),
    ]),
    ['style.css', accentRule(PRODUCT_COLOR) + textOf('style.css')],
  ]);
}

/** Another version of the files has another path, so a page never runs the scripts of an older one. */
export const versionOf = (files: Map<string, string>): string =>
  createHash('sha256')
    .update(JSON.stringify([...files]))
    .digest('base64url')
    .slice(0, 12);

/** The files that a script imports, and those that they import. A browser that knows them asks for all at once. */
export function importsOf(name: string, files: Map<string, string>, found = new Set<string>()) {
  const text = files.get(name) as string;
  for (const [, specifier] of text.matchAll(/^(?:import|\}).* '(\.\.?\/.+)';$/gm) as Iterable<
    [string, string]
  >) {
    const file = posix.join(posix.dirname(name), specifier);
    if (!found.has(file)) importsOf(file, files, found.add(file));
  }
  return found;
}

/** The HTML of a page's main part. */
export const pageContent = (name: string): string => textOf(`${name}.html`).trimEnd();
