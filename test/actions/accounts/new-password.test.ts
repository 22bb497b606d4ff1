import t from 'tap';
import { hashNewPassword } from '../../../src/actions/accounts/new-password.ts';
import { newUserId } from '../../../src/parts/ids.ts';
import { newPerson } from '../../../src/rules/accounts.ts';
import type { User } from '../../../src/schemas/user.ts';
import { testApp } from '../../test-app.ts';

const { context } = await testApp(t, { env: { ISSUER: 'https://id.harbour-lights.example' } });
const make = (password: string, email: string | null = 'ada.lovelace@example.com') =>
  hashNewPassword(context, { password, email, path: '/password' });
const refusedWith = (message: string) => ({
  code: 'invalid_input',
  circumstances: { errors: [{ path: '/password', message }] },
});
const EASY = refusedWith('is too easy to guess: common, repeated, or made of your address');
const length = (count: number) => refusedWith(`must have 15 to 128 characters; it has ${count}`);

/** This many different characters. */
const various = (count: number, alphabet = 0x4e00) =>
  Array.from({ length: count }, (_, index) =>
    String.fromCodePoint(alphabet + ((index * 7_919) % 5_000)),
  ).join('');

t.test('PWD-01 a password has 15 to 128 code points, counted after normalisation', async (t) => {
  const cases: [string, number][] = [
    ['mvqzrxkwtjpbnl', 14],
    [various(14), 14],
    ['\u{1f511}\u{1f98a}'.repeat(7), 14],
    ['e\u0308'.repeat(14), 14],
    [various(129), 129],
    [`${'correct horse battery staple '.repeat(5)}`, 145],
  ];
  for (const [password, count] of cases) await t.rejects(make(password), length(count), password);
  for (const password of [
    'mvqzrxkwtjpbnlc',
    various(15),
    various(64),
    various(128),
    various(128, 0x1f300),
    `e\u0308${various(127)}`,
  ]) {
    t.match(await make(password), /^\$argon2id\$/, password);
  }
});

t.test('PWD-01 a password is not truncated: the last of 128 characters counts', async (t) => {
  const { passwords } = context;
  for (const [head, last, other] of [
    [various(127), 'a', 'b'],
    [various(127, 0x1f300), '\u{1f511}', '\u{1f512}'],
    ['mvqzrxkwtjpbnlcysdfghoaueiMVQZRXKWTJPBNLCYSDFGHOAUEI9182736450mvqzrxkwtj', 'a', 'b'],
  ] as const) {
    const hash = await make(head + last);
    t.equal(await passwords.check(hash, head + last), 'right');
    t.equal(await passwords.check(hash, head + other), 'wrong');
    t.equal(await passwords.check(hash, head), 'wrong');
  }
});

t.test('PWD-04 a password is used as it is, apart from Unicode normalisation', async (t) => {
  const { passwords } = context;
  const hash = await make(' Zo\u00eb reads by lantern light ');
  t.equal(await passwords.check(hash, ' Zoe\u0308 reads by lantern light '), 'right');
  for (const other of [
    'Zo\u00eb reads by lantern light',
    ' zo\u00eb reads by lantern light ',
    ' Zoe reads by lantern light ',
  ]) {
    t.equal(await passwords.check(hash, other), 'wrong', other);
  }
});

t.test(
  'PWD-03 common passwords, and those made of the address or the product name, are refused',
  async (t) => {
    for (const password of [
      'passwordpassword',
      '123456789012345',
      'qwertyuiopasdfgh',
      'aaaaaaaaaaaaaaaaaaaa',
      'ada.lovelace@example.com',
      'ADA.LOVELACE@example.com',
      'lovelacelovelace',
      'Ada Lovelace 2026',
      'latchkeylatchkey',
      'Latchkey-Latchkey',
      'id.harbour-lights.example',
    ]) {
      await t.rejects(make(password), EASY, password);
    }
    const long = `${'analytical.'.repeat(5)}engine@example.com`;
    await t.rejects(make(long, long), EASY, 'an address longer than the part that is compared');
  },
);

t.test(
  'PWD-02 pass phrases, digits and emoji are accepted: there are no composition rules',
  async (t) => {
    for (const password of [
      'correct horse battery staple',
      'no capital no digit no sign',
      '381940275610483',
      '\u{1f98a}\u{1f308}\u{1f349}\u{1f3b7}\u{1f6b2}\u{1f9ca}\u{1fa81}\u{1f3bb}\u{1f344}\u{1f991}\u{1f9ed}\u{1f6f6}\u{1fa90}\u{1f994}\u{1f34b}',
    ]) {
      t.match(await make(password, null), /^\$argon2id\$/, password);
    }
  },
);

t.test('short parts of an address do not make a password weak', async (t) => {
  const parts = 'er.ha.nt.ou.la.ng.ri.br.ih.ox';
  const password = parts.replaceAll('.', '');
  for (const email of [`${parts}@example.com`, `${[...password].join('.')}@example.com`])
    t.match(await make(password, email), /^\$argon2id\$/, email);
});

t.test('a password is not checked if the client has gone while it waited', async (t) => {
  const before = context.passwordStrength.isStrong('passwordpassword', []);
  const client = new AbortController();
  const password = 'mvqzrxkwtjpbnlc';
  const asked = hashNewPassword(context, {
    password,
    email: null,
    path: '/password',
    signal: client.signal,
  });
  client.abort();
  await t.rejects(asked, {
    code: 'overloaded',
    circumstances: { reason: 'the client has disconnected' },
  });
  await before;
});

t.test('RFC 8265: a control character is refused, and every space is a space', async (t) => {
  for (const control of ['\t', '\n', '\r', '\0', '\u007f', '\u0085'])
    await t.rejects(make(`a lantern in${control}the rainy harbour`), {
      code: 'invalid_input',
      circumstances: { errors: [{ path: '/password', message: /control characters/ }] },
    });
  const hash = await make('a\u00a0lantern in the rainy\u3000harbour');
  t.equal(await context.passwords.check(hash, 'a lantern in the rainy harbour'), 'right');
  const family = '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}';
  t.match(
    await make(`${family} \u2764\ufe0f by the rainy harbour`),
    /^\$argon2id\$/,
    'emoji are accepted',
  );
});

t.test('the present password is refused as the new one, in every Unicode form', async (t) => {
  const password_hash = await make('a lantern in the rainy harbour');
  const owner = newPerson(
    { id: newUserId(0), email: 'ada@example.com', name: null, passwordHash: password_hash },
    0,
  );
  const choose = (password: string, of: User = owner) =>
    hashNewPassword(context, { password, email: null, path: '/new_password', owner: of });
  const message = 'is the password that you have now';
  for (const same of ['a lantern in the rainy harbour', 'a\u00a0lantern in the rainy harbour'])
    await t.rejects(choose(same), {
      code: 'invalid_input',
      circumstances: { errors: [{ path: '/new_password', message }] },
    });
  t.match(await choose('a lantern in another harbour'), /^\$argon2id\$/);
  const invited = { ...owner, password_hash: null };
  t.match(await choose('a lantern in the rainy harbour', invited), /^\$argon2id\$/);
});
