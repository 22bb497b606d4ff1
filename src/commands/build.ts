import { chmodSync, cpSync, globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { builtModules } from './built-modules.ts';

// `npm pack` runs this (`prepack`). Node strips no types in `node_modules`, so the package has the modules without types.

const OUT = 'dist';
const ENTRY = 'src/commands/latchkey.ts';
/** What modules read and browsers load, and the types of what others import. */
const ASSETS = 'src/**/*.{js,css,html,svg,d.ts}';
const VECTORS = 'test/vectors/*.json';

/** `src/clients/client.js` is `dist/clients/client.js`, and `test/vectors/ES256.json` is `dist/vectors/ES256.json`. */
const outOf = (path: string) => join(OUT, relative(path.startsWith('src') ? 'src' : 'test', path));

rmSync(OUT, { recursive: true, force: true });
for (const { path, text } of builtModules(ENTRY)) {
  const out = outOf(path);
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, text);
}
for (const path of globSync([ASSETS, VECTORS])) cpSync(path, outOf(path));
chmodSync(outOf(ENTRY).replace(/ts$/, 'js'), 0o755);
