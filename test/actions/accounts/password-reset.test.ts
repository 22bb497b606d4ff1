import t, { type Test } from 'tap';
import { mailReset, resetPassword } from '../../../src/actions/accounts/password-reset.ts';
import { resetState, resetToken } from '../../../src/actions/tokens/mailed-tokens.ts';
import { decoyOf } from '../../../src/parts/guessing/decoys.ts';
import { randomId } from '../../../src/parts/ids.ts';
import { emailKey } from '../../../src/rules/accounts.ts';
import { liveSession, withNewSession } from '../../../src/rules/sessions.ts';
import type { User } from '../../../src/schemas/user.ts';
import { ada, limits, NOW } from '../../rules/samples.ts';
import { appWithLetters } from '../letters.ts';

const NEXT = 'a lantern in the rainy harbour';
const signIn = { id: randomId(), amr: ['pwd'], transport: 'body' as const, client: '' };
const mfa: User['mfa'] = { totp: { secret: 'sealed', last_step: 4 }, challenges: [] };
const { signal } = new AbortController();
const refused = { code: 'link_invalid' };

const service = await appWithLetters(t);
const { context, clock, posted, told } = service;
const { users, passwords } = context;
let count = 0;

/** A user with a session, a second factor and failed guesses. */
async function userOf(changes: Partial<User> = {}) {
  count += 1;
  const email = `Ada${count}@example.com`;
  const throttle = ['password all', 'totp all', 'recovery net 192.0.2.1'].map((key) => ({
    ...{ key, failures: 3, failed_at: NOW, pending: [] },
  }));
  const person = { ...ada({ id: `ada${count}`, email, email_key: email.toLowerCase() }) };
  const { user } = withNewSession({ ...person, mfa, throttle }, signIn, NOW, limits);
  await users.insert({ ...user, ...changes });
  return { ...user, ...changes };
}
const rowOf = async ({ id }: User) => (await users.findById(id)) as User;
const ask = (email: string, network = '192.0.2.1') => mailReset(context, { email, network });
const set = (token: string, password = NEXT) => resetPassword(context, { token, password }, signal);

/** No letter is left for the next test. */
const test = (title: string, body: (t: Test) => Promise<unknown>) =>
  t.test(title, async (t) => {
    await body(t);
    await posted();
  });

test('a reset link goes to the address as stored, in any spelling of the request', async (t) => {
  const user = await userOf();
  await ask(` ${user.email?.toUpperCase()}`);
  const [letter, ...more] = await posted();
  t.match(letter, { to: user.email, subject: 'Choose a new password' });
  t.same(more, []);
  const after = await rowOf(user);
  t.match(context.ownTokens.read('reset', letter?.token ?? ''), {
    sub: user.id,
    was: resetState(after),
  });
  t.same(
    after,
    { ...user, reset_letters: 1, row_version: 1 },
    'only the number of letters is stored',
  );
});

test('an unknown or disabled user gets no link', async (t) => {
  const { email } = await userOf({ status: 'disabled' });
  for (const address of [email as string, 'nobody@example.com']) await ask(address);
  t.same(await posted(), []);
});

test('a reset letter makes older links invalid, and the newest stays valid when no more are sent', async (t) => {
  const user = await userOf();
  const tokens: string[] = [];
  for (let turn = 0; turn < 3; turn += 1) {
    await ask(user.email as string);
    tokens.push((await posted())[0]?.token ?? '');
  }
  const before = await rowOf(user);
  for (let turn = 0; turn < 5; turn += 1) await ask(user.email as string);
  t.same(await posted(), [], 'the mailbox has had enough');
  t.same(await rowOf(user), before);
  const [first = '', second = '', newest = ''] = tokens;
  for (const older of [first, second]) await t.rejects(set(older), refused);
  t.ok(await set(newest));
});

test('one row is written for every address', async (t) => {
  const disabled = await userOf({ status: 'disabled' });
  const active = await userOf();
  const written = async (email: string) => {
    const { id } = decoyOf(context.keys.decoyKey(context.clock()), emailKey(email));
    const decoy = async () => (await users.findById(id))?.row_version ?? -1;
    const before = [await decoy(), (await rowOf(active)).row_version] as const;
    await ask(email);
    return [(await decoy()) - before[0], (await rowOf(active)).row_version - before[1]];
  };
  t.same(await written('nobody@example.com'), [1, 0]);
  t.same(await written(disabled.email as string), [1, 0]);
  for (let turn = 0; turn < 3; turn += 1) t.same(await written(active.email as string), [0, 1]);
  t.same(await written(active.email as string), [1, 0], 'also if no letter is sent');
});

test('an account that is deleted while its letter is made gets none', async (t) => {
  const user = await userOf();
  const gone = { ...user, status: 'deleted' as const, email: null, email_key: null };
  await Promise.all([
    ask(user.email as string),
    users.change(user.id, () => ({ user: gone, result: true })),
  ]);
  t.same(await posted(), []);
});

test('the present password is refused, and the link stays valid', async (t) => {
  const password_hash = await passwords.hash(NEXT);
  const user = await userOf({ password_hash });
  const token = resetToken(context, user);
  await t.rejects(set(token), {
    code: 'invalid_input',
    circumstances: {
      errors: [{ path: '/password', message: 'is the password that you have now' }],
    },
  });
  t.same(await rowOf(user), user);
  t.ok(await set(token, 'another lantern in another harbour'));
});

test('a new password ends every session, and its owner need not wait because of wrong passwords', async (t) => {
  const before = await userOf({ email_verified_at: NOW - 1 });
  clock.advance(5);
  const changed = await set(resetToken(context, before));
  const after = await rowOf(before);
  t.equal(changed.id, before.id);
  t.match(after, { token_version: 1, revoked_at: clock.now, updated_at: clock.now });
  t.notOk(liveSession(after, before.sessions[0]?.id as string, clock.now));
  t.same(
    after.throttle.map(({ key }) => key),
    ['totp all', 'recovery net 192.0.2.1'],
    'guesses at the password are cleared, guesses at codes are not',
  );
  t.equal(await passwords.check(after.password_hash, NEXT), 'right');
  t.same(after.mfa, mfa, 'the second factor of a confirmed address is still required');
  t.equal(after.email_verified_at, NOW - 1);
  t.same(await told(), [{ to: before.email, subject: 'Your password was changed' }]);
});

test('AUT-10 a reset removes the second factor of an account whose address was never confirmed', async (t) => {
  const before = await userOf();
  await set(resetToken(context, before));
  const after = await rowOf(before);
  t.same(after.mfa, { challenges: [] });
  t.equal(after.email_verified_at, clock.now, 'the link confirms the address');
});

test('a link that is no longer valid changes nothing, and costs no hash', async (t) => {
  const user = await userOf();
  const token = resetToken(context, user);
  const nobody = resetToken(context, { ...user, id: 'nobody' });
  for (const bad of ['x', nobody]) await t.rejects(set(bad, 'short'), refused);
  for (const state of [
    { status: 'disabled' },
    { status: 'deleted' },
    { status: 'active', password_hash: '$argon2id$other' },
    { password_hash: user.password_hash, email_key: 'moved@example.com' },
  ] as const) {
    await users.change(user.id, (row) => ({ user: { ...row, ...state }, result: true }));
    const before = await rowOf(user);
    await t.rejects(set(token, 'short'), refused, JSON.stringify(state));
    t.same(await rowOf(user), before);
  }
  t.same(await posted(), []);
});

test('a refused password names its field, and the link stays valid', async (t) => {
  const user = await userOf();
  const token = resetToken(context, user);
  for (const password of ['short', `${user.email}${user.email}`]) {
    await t.rejects(set(token, password), {
      code: 'invalid_input',
      circumstances: { errors: [{ path: '/password' }] },
    });
  }
  t.same(await rowOf(user), user);
  t.ok(await set(token));
});

/** Starts a reset, and does something else after it has read the row. */
async function meanwhile(t: Test, user: User, act: () => Promise<unknown>) {
  const resetting = set(resetToken(context, user));
  const [result] = await Promise.all([
    resetting.then(
      () => t.fail('the password is set'),
      (error) => error,
    ),
    act(),
  ]);
  return result;
}

test('a change of the row while the password is hashed makes the link invalid', async (t) => {
  for (const state of [
    { status: 'disabled' },
    { password_hash: '$argon2id$other' },
    { email_key: 'elsewhere@example.com' },
  ] as const) {
    const user = await userOf();
    const change = () =>
      users.change(user.id, (row) => ({ user: { ...row, ...state }, result: true }));
    t.match(await meanwhile(t, user, change), refused, JSON.stringify(state));
    const after = await rowOf(user);
    t.match(after, { ...state, token_version: 0 });
    t.same(after.mfa, mfa);
  }
  t.same(await posted(), []);
});

test('an account that is removed while its password is hashed makes the link invalid', async (t) => {
  const user = await userOf({ status: 'active' });
  const gone = { ...user, status: 'deleted' as const, revoked_at: NOW - 1, email_key: null };
  const remove = async () => {
    await users.change(user.id, () => ({ user: gone, result: true }));
    await users.removeDeleted(NOW);
  };
  t.match(await meanwhile(t, user, remove), refused);
  t.equal(await users.findById(user.id), undefined);
  t.same(await posted(), []);
});
