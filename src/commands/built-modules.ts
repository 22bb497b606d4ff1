import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';

/** The relative path of a module: in an import, or in the URL of a thread. */
const MODULE = /'(\.{1,2}\/[^'\n]+)\.ts'/g;

/**
 * The module at `entry` and all that it leads to, as JavaScript. Types become spaces, as when Node runs the `.ts` file, so
 * every line and column of a stack trace is that of the source. `path` is that of the JavaScript.
 */
export function builtModules(entry: string): { path: string; text: string }[] {
  const built = new Map<string, string>();
  const build = (path: string) => {
    if (built.has(path)) return;
    const text = stripTypeScriptTypes(readFileSync(path, 'utf8'));
    built.set(path, text.replace(MODULE, "'$1.js'"));
    for (const [, target] of text.matchAll(MODULE)) build(join(dirname(path), `${target}.ts`));
  };
  build(entry);
  return [...built].map(([path, text]) => ({ path: path.replace(/\.ts$/, '.js'), text }));
}
