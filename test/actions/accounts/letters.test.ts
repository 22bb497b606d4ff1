import t from 'tap';
import { postLimited, tell, tellTaken } from '../../../src/actions/accounts/letters.ts';
import type { Letter } from '../../../src/parts/mail/letter.ts';
import { MINUTE } from '../../rules/samples.ts';
import { appWithLetters } from '../letters.ts';

const { context, clock, posted, told } = await appWithLetters(t);
const letter = (subject: string): Letter => ({ subject, paragraphs: [subject] });

t.test('a user with an address gets notices, a user without one gets none', async (t) => {
  tell(context, { email: 'Ada@example.com', email_verified_at: 0 }, 'password.changed');
  tell(context, { email: null, email_verified_at: null }, 'password.changed');
  t.same(await told(), [{ to: 'Ada@example.com', subject: 'Your password was changed' }]);
});

t.test('notices are limited only as long as nobody has confirmed the address', async (t) => {
  for (const [email_verified_at, count] of [
    [0, 5],
    [null, 3],
  ] as const) {
    const owner = { email: 'a@example.com', email_verified_at };
    for (let turn = 0; turn < 5; turn += 1) tell(context, owner, 'mfa.enabled');
    t.equal((await posted()).length, count);
  }
});

t.test('strangers can cause three letters an hour to an address on each occasion', async (t) => {
  const ask = (occasion: 'sign-up' | 'reset' | 'confirm', email: string) =>
    postLimited(context, { occasion, email }, () => letter(occasion));
  for (const email of ['eve@example.com', 'EVE@example.com', ' eve@example.com', 'Eve@example.com'])
    ask('sign-up', email);
  t.equal((await posted()).length, 3, 'in every spelling of the address');
  for (const occasion of ['reset', 'confirm'] as const) ask(occasion, 'eve@example.com');
  t.same(
    (await posted()).map(({ subject }) => subject).sort(),
    ['confirm', 'reset'],
    'each occasion is counted on its own',
  );
  ask('sign-up', 'eva@example.com');
  t.same(await told(), [{ to: 'eva@example.com', subject: 'sign-up' }], 'and so is each address');
  clock.advance(60 * MINUTE - 1);
  ask('sign-up', 'eve@example.com');
  t.same(await posted(), []);
  clock.advance(1);
  ask('sign-up', 'eve@example.com');
  t.same(await told(), [{ to: 'eve@example.com', subject: 'sign-up' }]);
});

t.test('the letter that an address has an account counts as a sign-up letter', async (t) => {
  const email = 'Owner@example.com';
  for (let turn = 0; turn < 2; turn += 1) tellTaken(context, { email });
  t.same(
    await told(),
    Array(2).fill({ to: email, subject: 'You already have an account at Latchkey' }),
  );
  postLimited(context, { occasion: 'sign-up', email }, () => letter('third'));
  tellTaken(context, { email });
  t.same(await told(), [{ to: email, subject: 'third' }], 'from the same three');
});
