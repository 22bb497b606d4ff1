import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import t, { type Test } from 'tap';
import { PasswordStrength } from '../../../src/parts/passwords/password-strength.ts';

const overloaded = { code: 'overloaded', circumstances: { retryAfter: 2 } };

function strengthOf(t: Test, idle?: number) {
  const strength = new PasswordStrength(idle);
  t.teardown(() => strength.close());
  return strength;
}

const strength = strengthOf(t);

t.test('PWD-03 common, patterned and repeated passwords are weak', async (t) => {
  for (const password of [
    'passwordpassword',
    'password1password1',
    'password1'.repeat(5),
    'Passw0rd!'.repeat(3),
    'monkey7'.repeat(10),
    'iloveyouiloveyou',
    'letmeinletmeinletmein1',
    '123456789012345',
    '1234567890'.repeat(12),
    'qwertyuiopasdfghjkl',
    'zxcvbnm,./zxcvbnm,./',
    'abcdefghijklmnopqrstuvwxyz',
    'a'.repeat(128),
    ' '.repeat(40),
    'p4$$w0rd'.repeat(16),
    '\u{1f98a}'.repeat(30),
  ]) {
    t.equal(await strength.isStrong(password, []), false, password);
  }
});

t.test(
  'PWD-03 words of the user and the service are weak in any case and at any length',
  async (t) => {
    const address = 'ada.lovelace.of.the.analytical.engine@example.com';
    const context = [
      'latchkey',
      address,
      ...address.split(/[.@]/).filter(({ length }) => length > 2),
    ];
    for (const password of [
      address,
      address.toUpperCase(),
      `${address}1`,
      `${address}${address}`,
      'lovelace.analytical.engine',
      'LatchkeyLatchkey',
      'latchkey-latchkey-latchkey',
      'latchkey12345678',
    ]) {
      t.equal(await strength.isStrong(password, context), false, password);
    }
    t.equal(await strength.isStrong('latchkey and a rusty old lantern', context), true);
  },
);

t.test('PWD-02 there are no rules of composition', async (t) => {
  for (const password of [
    'correct horse battery staple',
    'no capital no digit no sign',
    '381940275610483',
    '\u{1f98a}\u{1f308}\u{1f349}\u{1f3b7}\u{1f6b2}\u{1f9ca}\u{1fa81}\u{1f3bb}',
    '\u043f\u0430\u0440\u043e\u0432\u043e\u0437 \u0438\u0434\u0435\u0442 \u0434\u043e\u043c\u043e\u0439',
    'KQZMXVJWPLTRBNH',
  ]) {
    t.equal(await strength.isStrong(password, ['latchkey']), true, password);
  }
});

t.test('scoring does not block the event loop', async (t) => {
  const hard = '4@8({[</369&#!1/|0$5+7%2';
  const questions = Array.from({ length: 10 }, (_, turn) => strength.isStrong(hard + turn, []));
  const all = Promise.all(questions).then(() => 'answered');
  let turns = 0;
  for (let seen = 'turned'; seen !== 'answered'; turns += 1)
    seen = await Promise.race([all, setImmediate('turned')]);
  // On this thread it would be one per question.
  t.ok(turns > 50, `${turns} turns`);
});

t.test('the number of waiting checks is limited; the rest is refused', async (t) => {
  const strength = strengthOf(t);
  const ask = (stranger: boolean) => strength.isStrong('passwordpassword', [], { stranger });
  const waiting = Array.from({ length: 101 }, () => ask(true));
  await t.rejects(ask(true), overloaded);
  waiting.push(ask(false));
  t.same(new Set(await Promise.all(waiting)), new Set([false]));
  t.equal(await strength.isStrong('passwordpassword', []), false, 'afterwards there is room again');
});

t.test('each caller gets the answer to its own question', async (t) => {
  const passwords = Array.from({ length: 40 }, (_, turn) =>
    turn % 2 ? 'passwordpassword' : 'a lantern in the rainy harbour',
  );
  const answers = await Promise.all(passwords.map((password) => strength.isStrong(password, [])));
  t.same(
    answers,
    passwords.map((_, turn) => turn % 2 === 0),
  );
});

t.test('a check is dropped if its client disconnects while it waits', async (t) => {
  const strength = strengthOf(t);
  const asked = t.capture(Worker.prototype, 'postMessage', Worker.prototype.postMessage);
  const client = new AbortController();
  const ask = (password: string) => strength.isStrong(password, [], { signal: client.signal });
  const first = ask('passwordpassword');
  const others = Array.from({ length: 27 }, (_, turn) => ask(`passwordpassword${turn}`));
  const patient = strength.isStrong('correct horse battery staple', []);
  client.abort();
  for (const other of others) await t.rejects(other, { code: 'overloaded' });
  t.equal(await first, false, 'a check that has started is finished');
  t.equal(await patient, true);
  t.equal(asked().length, 2);
});

t.test('a thread that dies fails the current check, and a new thread takes over', async (t) => {
  const strength = strengthOf(t);
  const [served, ...waiting] = [1, 2, 3].map(() => strength.isStrong('passwordpassword', []));
  const closed = strength.close();
  await t.rejects(served as Promise<boolean>, overloaded);
  await closed;
  t.same(await Promise.all(waiting), [false, false]);
  t.equal(await strength.isStrong('passwordpassword', []), false);
});

t.test(
  'after an error a new thread starts, and the exit of the old one does not affect it',
  async (t) => {
    const strength = strengthOf(t);
    // A message that the thread cannot read throws in it.
    const broken = strength.isStrong(undefined as never, []);
    await t.rejects(broken, overloaded);
    t.equal(await strength.isStrong('passwordpassword', []), false, 'at once');
    t.equal(await strength.isStrong('correct horse battery staple', []), true);
  },
);

t.test('an idle thread ends, and a check that arrives meanwhile starts a new one', async (t) => {
  const strength = strengthOf(t, 0);
  const ended = t.capture(Worker.prototype, 'terminate', Worker.prototype.terminate);
  t.equal(await strength.isStrong('passwordpassword', []), false);
  const endings: unknown[] = [];
  while (endings.length === 0) {
    await setImmediate();
    endings.push(...ended().flatMap((call) => ('returned' in call ? [call.returned] : [])));
  }
  const meanwhile = strength.isStrong('correct horse battery staple', []);
  t.type(await endings[0], 'number', 'the thread has ended');
  t.equal(await meanwhile, true);
});

t.test('closing without a check does nothing', async () => {
  await new PasswordStrength().close();
});
