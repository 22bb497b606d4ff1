import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import type { Config } from '../config.ts';
import { accentRule } from './accent.ts';

const ROOM = new URL('../pages/', import.meta.url);
const MODULES = new URL('../clients/', import.meta.url);

const textOf = (name: string): string => readFileSync(new URL(name, ROOM), 'utf8');

interface PageFiles {
  /** By name: the scripts, the browser modules, and the style sheet in the product's colour. */
  files: Map<string, string>;
  /**
   * Another version of the files has another path, so a page does not run the scripts of an older one, except during an
   * update (`routes/pages/files.ts`).
   */
  version: string;
}

function readFiles({ PRODUCT_COLOR }: Config): PageFiles {
  const scripts = readdirSync(ROOM, { encoding: 'utf8', recursive: true }).filter((name) =>
    name.endsWith('.js'),
  );
  const files = new Map([
    ...scripts.sort().map((name): [string, string] => [name, textOf(name)]),
    ...['client.js', 'client-passkeys.js', 'client-mail-codes.js'].map((name): [string, string] => [
      name,
      readFileSync(new URL(name, MODULES), 'utf8'),
    ]),
    ['style.css', accentRule(PRODUCT_COLOR) + textOf('style.css')],
  ]);
  const hash = createHash('sha256').update(JSON.stringify([...files]));
  return { files, version: hash.digest('base64url').slice(0, 12) };
}

const read = new WeakMap<Config, PageFiles>();

/** What the pages load. Read once for all pages of a service. */
export function pageFiles(config: Config): PageFiles {
  const found = read.get(config) ?? readFiles(config);
  read.set(config, found);
  return found;
}

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
