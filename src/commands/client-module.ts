import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';

const ROOM = 'src/clients';
/** In the order in which they need one another. */
const PIECES = ['problems', 'platform', 'wire', 'bearer-fetch', 'create-client'];
const EXPORTS = '\nexport { createClient, LatchkeyError };\n';

const IMPORT = /^import [^;]*;\n/gm;
const COMMENT = /^ *(\/\/|\/?\*).*\n/gm;
/** What the types leave behind: spaces before, within and after the code of a line. */
const INDENT = /^ +/gm;
const GAP = /(?<=\S) {2,}(?=\S)| +$/gm;
const EMPTY_LINE = /^\n/gm;

/** One ES module from the files of the room: without types, comments and what they import from one another. */
export function clientModule(): { path: string; text: string } {
  const pieces = PIECES.map((name) => {
    const source = readFileSync(`${ROOM}/${name}.ts`, 'utf8').replace(IMPORT, '');
    return stripTypeScriptTypes(source)
      .replace(COMMENT, '')
      .replace(/^export /gm, '')
      .replace(INDENT, '')
      .replace(GAP, ' ')
      .replace(/ +$/gm, '')
      .replace(EMPTY_LINE, '');
  });
  const text = `// The browser module of Latchkey, made from ${ROOM} by \`npm run generate\`. MIT License.\n${pieces.join('')}${EXPORTS}`;
  return { path: `${ROOM}/client.js`, text };
}
