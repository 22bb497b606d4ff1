import t from 'tap';
import { codeState, withCodesSpent, withCodeTried } from '../../src/rules/mail-codes.ts';
import { withNewSession } from '../../src/rules/sessions.ts';
import type { User } from '../../src/schemas/user.ts';
import { ada, limits, NOW } from './samples.ts';

const signIn = { id: 'session', amr: ['pwd'], transport: 'body' as const, client: '' };
const until = NOW + 600_000;
const tryOf = (user: User | undefined, id: string, now = NOW) =>
  user && withCodeTried(user, { id, until, now });

t.test('a code has five tries', async (t) => {
  let user: User | undefined = ada();
  for (let tries = 1; tries <= 5; tries += 1) {
    user = tryOf(user, 'code');
    t.same(user?.mail_codes.tried, [{ id: 'code', tries, until }]);
  }
  t.equal(tryOf(user, 'code'), undefined);
  t.ok(tryOf(user, 'another'));
  t.same(tryOf(user, 'another', until)?.mail_codes.tried, [{ id: 'another', tries: 1, until }]);
});

t.test('a flood of codes does not bring back the tries of one that has none left', async (t) => {
  let user: User | undefined = ada();
  for (let tries = 0; tries < 5; tries += 1) user = tryOf(user, 'code');
  for (let count = 0; count < 50; count += 1) user = tryOf(user, `flood ${count}`);
  t.equal(user?.mail_codes.tried.length, 20);
  t.equal(tryOf(user, 'code'), undefined);
});

t.test('a code is wrong after whatever changes the state', async (t) => {
  const before = ada({ last_login_at: NOW, email_verified_at: NOW });
  const others: User[] = [
    withCodesSpent(before),
    { ...before, token_version: 1 },
    { ...before, email_key: 'new@example.com' },
    { ...before, id: 'another' },
    { ...before, last_login_at: NOW + 1 },
  ];
  for (const other of others) t.not(codeState(other), codeState(before));
  const guessed = tryOf({ ...before, throttle: [], name: 'Ada King' }, 'code') as User;
  t.equal(codeState(guessed), codeState(before), 'a guess is no such change');
});

t.test('sign-ins to an account that may be a stranger’s leave its codes right', async (t) => {
  for (const unclaimed of [ada(), ada({ email_verified_at: NOW, claimed_at: 0 })]) {
    const { user } = withNewSession(unclaimed, signIn, NOW, limits);
    const entered = { ...user, last_login_at: NOW, token_version: 1 };
    t.equal(codeState(entered), codeState(unclaimed));
    t.not(codeState(withCodesSpent(unclaimed)), codeState(unclaimed));
    const claimed = { ...entered, email_verified_at: NOW, claimed_at: NOW };
    t.not(codeState(withNewSession(claimed, signIn, NOW, limits).user), codeState(claimed));
  }
});

t.test('members of a newer version survive', async (t) => {
  const newer = { counter: 1, tried: [], later: true };
  const user = ada({ mail_codes: newer });
  t.same(withCodesSpent(user).mail_codes, { ...newer, counter: 2 });
  t.match(tryOf(user, 'code')?.mail_codes, { later: true });
});
