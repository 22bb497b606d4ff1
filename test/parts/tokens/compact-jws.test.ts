import t from 'tap';
import { headerOf, isOurForm } from '../../../src/parts/tokens/compact-jws.ts';

const encoded = (text: string | Buffer) => Buffer.from(text).toString('base64url');
const tokenOf = (claims: string | Buffer, signature = 'c2ln') =>
  `e30.${encoded(claims)}.${signature}`;

t.test('the header is the part before the first dot', async (t) => {
  t.equal(headerOf('a.b.c'), 'a');
});

t.test('claims are canonical if parsing and writing them again gives the same bytes', async (t) => {
  for (const claims of ['{}', '{"sub":"ü","roles":[],"n":1.5}', '{"__proto__":1}']) {
    t.equal(isOurForm(tokenOf(claims)), true, claims);
  }
});

const strange: [string, string][] = [
  ['nothing', ''],
  ['dots alone', '..'],
  ['two segments', 'e30.e30'],
  ['four segments', 'e30.e30.c2ln.c2ln'],
  ['five segments (a JWE)', 'e30.e30.e30.e30.e30'],
  ['no signature', 'e30.e30.'],
  ['no claims', 'e30..c2ln'],
  ['no header', '.e30.c2ln'],
  ['JSON serialisation', '{"payload":"e30","signature":"c2ln"}'],
  ['padding after the claims', 'e30.e30=.c2ln'],
  ['padding after the signature', 'e30.e30.c2k='],
  ['white space in the signature', 'e30.e30.c2 ln'],
  ['a line break at the end', 'e30.e30.c2ln\n'],
  ['the alphabet of plain base64', 'e30.e30.+/+/'],
  ['unused bits that are set in the signature', 'e30.e30.c2l'],
  ['unused bits that are set in the claims', 'e30.e31.c2ln'],
  ['text that is no JSON', tokenOf('text')],
  ['white space between the claims', tokenOf('{"sub": "a"}')],
  ['a member twice', tokenOf('{"sub":"a","sub":"b"}')],
  ['a byte-order mark', tokenOf('\u{feff}{}')],
  ['invalid UTF-8', tokenOf(Buffer.from([0x22, 0xc0, 0xaf, 0x22]))],
  ['an escape that need not be one', tokenOf('{"sub":"\\u0061"}')],
  ['a number beyond a double', tokenOf('{"exp":1e400}')],
  ['a number written another way', tokenOf('{"exp":1.0}')],
  ['a number with too many digits', tokenOf('{"exp":12345678901234567890}')],
];
for (const [what, token] of strange) {
  t.test(`${what}: not canonical`, async (t) => {
    t.equal(isOurForm(token), false);
  });
}
