import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';

const ROOM = 'src/clients';

/** `pieces`: in the order in which they need one another. */
const MODULES = [
  {
    name: 'client.js',
    title: 'The browser module of Latchkey',
    imports: '',
    pieces: ['problems', 'platform', 'wire', 'bearer-fetch', 'create-client'],
    exports: 'createClient, LatchkeyError',
  },
  {
    name: 'client-passkeys.js',
    title: 'Passkeys, for the browser module of Latchkey',
    imports: "import { LatchkeyError } from './client.js';\n",
    pieces: ['credential-json', 'create-passkeys'],
    exports: 'createPasskeys',
  },
];

const IMPORT = /^import [^;]*;\n/gm;
const COMMENT = /^ *(\/\/|\/?\*).*\n/gm;
/** What the types leave behind: spaces before, within and after the code of a line. */
const INDENT = /^ +/gm;
const GAP = /(?<=\S) {2,}(?=\S)| +$/gm;
const EMPTY_LINE = /^\n/gm;

const plain = (piece: string): string => {
  const source = readFileSync(`${ROOM}/${piece}.ts`, 'utf8').replace(IMPORT, '');
  return stripTypeScriptTypes(source)
    .replace(COMMENT, '')
    .replace(/^export /gm, '')
    .replace(INDENT, '')
    .replace(GAP, ' ')
    .replace(/ +$/gm, '')
    .replace(EMPTY_LINE, '');
};

/** ES modules from the files of the room: without types, comments and what they import from one another. */
export const clientModules = (): { path: string; text: string }[] =>
  MODULES.map(({ name, title, imports, pieces, exports }) => ({
    path: `${ROOM}/${name}`,
    text: `// ${title}, made from ${ROOM} by \`npm run generate\`. MIT License.\n${imports}${pieces.map(plain).join('')}\nexport { ${exports} };\n`,
  }));
