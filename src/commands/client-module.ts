import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';

const ROOM = 'src/clients';

interface Module {
  file: string;
  what: string;
  /** In the order in which they need one another. */
  pieces: string[];
  exports: string;
  imports?: string;
}

const MODULES: Module[] = [
  {
    file: 'client.js',
    what: 'The browser module',
    pieces: ['problems', 'platform', 'wire', 'bearer-fetch', 'create-client'],
    exports: 'createClient, LatchkeyError',
  },
  {
    file: 'verify.js',
    what: 'The verifier',
    pieces: [
      'verifier/token-error',
      'verifier/compact-jws',
      'verifier/fetched',
      'verifier/issuer-keys',
      'verifier/access-claims',
      'verifier/dpop-proofs',
      'verifier/revoked',
      'verifier/revocation-feed',
      'verifier/create-verifier',
    ],
    exports: 'createVerifier, TokenError',
  },
  {
    file: 'client-passkeys.js',
    what: 'Passkeys, for the browser module',
    imports: "import { LatchkeyError } from './client.js';\n",
    pieces: ['base64url', 'credential-json', 'create-passkeys'],
    exports: 'createPasskeys',
  },
  {
    file: 'client-mail-codes.js',
    what: 'Codes by mail, for the browser module',
    pieces: ['create-mail-codes'],
    exports: 'createMailCodes',
  },
  {
    file: 'client-dpop.js',
    what: 'Tokens that are bound to a key of the browser, for the browser module',
    pieces: ['base64url', 'create-dpop'],
    exports: 'dpopFetch',
  },
];

const IMPORT = /^import [^;]*;\n/gm;
const COMMENT = /^ *(\/\/|\/?\*).*\n/gm;
/** What the types leave behind: spaces before, within and after the code of a line. */
const INDENT = /^ +/gm;
const GAP = /(?<=\S) {2,}(?=\S)| +$/gm;
/** The space that a type leaves before a comma, a semicolon or a parenthesis. */
const LOOSE = /(?<=\w) (?=[,;)])|(?<=\bnew \w+) (?=\()/g;
const EMPTY_LINE = /^\n/gm;

const TEXT = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/;
const PATTERN = /\/(?! )(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\//;
/** Without `+` and `-`: `a - -b` needs its spaces. */
const MARK = / ?(=>|[=!]==|&&|\|\||\?\?|[=<>*?:{},;]) ?/;
/** The spaces beside a mark, but for those in a literal. */
const SPACED = new RegExp(`(${TEXT.source}|${PATTERN.source})|${MARK.source}`, 'g');
/** What the formatter adds to a list of several lines. */
const WRAPPED = /(?<=[[({,])\n|,?\n(?=[\])}])/g;

/** ES modules from the files of the room: without types, comments and what they import from one another. */
export const clientModules = () => MODULES.map(moduleOf);

function moduleOf({ file, what, pieces, exports, imports = '' }: Module): {
  path: string;
  text: string;
} {
  const code = pieces.map((name) => {
    const source = readFileSync(`${ROOM}/${name}.ts`, 'utf8').replace(IMPORT, '');
    return stripTypeScriptTypes(source)
      .replace(COMMENT, '')
      .replace(/^export /gm, '')
      .replace(INDENT, '')
      .replace(GAP, ' ')
      .replace(LOOSE, '')
      .replace(/ +$/gm, '')
      .replace(EMPTY_LINE, '')
      .replace(SPACED, (_, literal, mark) => literal ?? mark)
      .replace(WRAPPED, '');
  });
  const text = `// ${what} of Latchkey, generated from ${ROOM}. MIT License.\n${imports}${code.join('')}\nexport { ${exports} };\n`;
  return { path: `${ROOM}/${file}`, text };
}
