import t from 'tap';
import { type Budget, budgetOf, type Factor, type Place } from '../../src/rules/budget.ts';
import { fingerprint } from '../../src/rules/fingerprint.ts';
import { admit, type Verdict, waitAfter, withGuessSettled } from '../../src/rules/throttle.ts';
import type { Bucket } from '../../src/schemas/user.ts';
import { DAY, MINUTE, NOW, SECOND } from './samples.ts';

const HOUR = 60 * MINUTE;

/** The budgets of a place at a password, in an account with room for it. */
function budgetsOf(place: Place): Budget[] {
  const { result } = admit([], budgetOf('password', place), NOW);
  if (result.outcome !== 'admitted') throw new Error('an empty account has room');
  return result.budgets;
}

/** The buckets of one account, and a clock. */
function account() {
  let buckets: Bucket[] = [];
  const state = { now: NOW, budgets: [] as Budget[] };
  const enter = (place: Place, factor: Factor = 'password') => {
    const { throttle, result } = admit(buckets, budgetOf(factor, place), state.now);
    buckets = throttle;
    if (result.outcome === 'admitted') state.budgets = result.budgets;
    return result;
  };
  const leave = (place: Place, verdict: Verdict, began = state.now, budgets = budgetsOf(place)) => {
    const { now } = state;
    buckets = withGuessSettled(buckets, budgets, { began, verdict, now });
  };
  /** One guess from start to end, and what became of it. */
  const guess = (place: Place, verdict: Verdict = 'wrong', factor: Factor = 'password') => {
    const admission = enter(place, factor);
    if (admission.outcome === 'admitted') leave(place, verdict, state.now, state.budgets);
    return admission;
  };
  /** Guesses as soon as it may, until `end`; how many were admitted, and when the last one was. */
  const guessUntil = (place: () => Place, end: number, factor: Factor = 'password') => {
    const at: number[] = [];
    while (state.now < end) {
      const admission = guess(place(), 'wrong', factor);
      if (admission.outcome === 'admitted') at.push(state.now - NOW);
      else if (admission.outcome === 'throttled') state.now += admission.wait;
      else throw new Error('nothing is being checked');
    }
    return at;
  };
  return { state, enter, leave, guess, guessUntil, buckets: () => buckets };
}

const net = (prefix: number | string): Place => ({ prefix: String(prefix) });
const owner: Place = { device: 'the phone of the owner' };
const session: Place = { session: 'a session' };
const places = [net('192.0.2.1'), owner, session];

t.test('waits double from 30 seconds to 15 minutes, and no further', async (t) => {
  const waits = Array.from({ length: 14 }, (_, failures) => waitAfter(failures, 5) / SECOND);
  t.same(waits, [0, 0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900, 900]);
  t.equal(waitAfter(100_000, 5), 15 * MINUTE, 'nor does it overflow');
});

t.test('AUT-05 five failures are free in every place, then the waits begin', async (t) => {
  for (const place of places) {
    const { guess, state } = account();
    for (let turn = 0; turn < 5; turn += 1) t.equal(guess(place).outcome, 'admitted');
    for (const seconds of [30, 60, 120, 240, 480, 900, 900, 900]) {
      t.same(guess(place), { outcome: 'throttled', wait: seconds * SECOND });
      state.now += seconds * SECOND - 1;
      t.same(guess(place), { outcome: 'throttled', wait: 1 });
      state.now += 1;
      t.equal(guess(place).outcome, 'admitted', 'one try');
    }
  }
});

t.test('what is refused is not counted, and writes nothing', async (t) => {
  const { guess, buckets } = account();
  for (let turn = 0; turn < 5; turn += 1) guess(net(1));
  const before = buckets();
  for (let turn = 0; turn < 50; turn += 1) guess(net(1));
  t.equal(buckets(), before, 'the very same');
});

t.test('one place: 5 guesses at once, 12 in an hour, 104 in a day', async (t) => {
  const { guessUntil } = account();
  const at = guessUntil(() => net(1), NOW + DAY);
  t.equal(at.filter((when) => when === 0).length, 5);
  t.equal(at.filter((when) => when < HOUR).length, 12);
  t.equal(at.length, 104);
});

t.test('AUT-05 one account: 107 guesses in an hour, 199 in a day, from wherever', async (t) => {
  const { guessUntil, buckets } = account();
  let prefix = 0;
  const at = guessUntil(
    () => {
      prefix += 1;
      return net(prefix);
    },
    NOW + 3 * DAY,
  );
  const within = (from: number, to: number) =>
    at.filter((when) => when >= from && when < to).length;
  t.equal(within(0, HOUR), 107);
  t.equal(within(HOUR, 2 * HOUR), 4);
  t.equal(within(0, DAY), 199);
  t.equal(within(DAY, 2 * DAY), 96);
  t.ok(buckets().length <= 41, 'and the row stays small');
});

t.test('whoever lets the count be forgotten again and again gets below 104 a day', async (t) => {
  const { guessUntil } = account();
  const at = guessUntil(() => net(Math.random()), NOW + DAY);
  const rates = at.map((last, index) => ((index + 1) * DAY) / (last + DAY));
  t.equal(Math.floor(Math.max(...rates)), 103);
});

t.test('failures are forgotten 24 hours after the last one', async (t) => {
  const { guess, state, buckets } = account();
  for (let turn = 0; turn < 8; turn += 1) {
    guess(net(1));
    state.now += 15 * MINUTE;
  }
  state.now += DAY - 15 * MINUTE - 1;
  guess(net(1), 'unchecked');
  t.equal(buckets().find(({ key }) => key.startsWith('password net'))?.failures, 8);
  state.now += 1;
  guess(net(1), 'unchecked');
  t.same(buckets(), [], 'nothing is left in the row');
});

t.test('the right one clears its own place, and not what others have guessed', async (t) => {
  const { guess, buckets, enter } = account();
  for (let turn = 0; turn < 4; turn += 1) guess(net(1));
  for (let turn = 0; turn < 5; turn += 1) guess(net(2));
  guess(net(1), 'right');
  const failures = buckets().map(({ key, failures }) => [key.split(' ')[1], failures]);
  t.same(
    new Map(failures as [string, number][]),
    new Map([
      ['all', 9],
      ['net', 5],
    ]),
  );
  t.equal(enter(net(2)).outcome, 'throttled');
});

t.test('what was not checked is not counted', async (t) => {
  const { guess, buckets } = account();
  for (let turn = 0; turn < 20; turn += 1) t.equal(guess(net(1), 'unchecked').outcome, 'admitted');
  t.same(buckets(), []);
});

t.test('AUT-04 guesses that are being checked take the budget; the next one is busy', async (t) => {
  for (const place of places) {
    const { enter, leave, state, guess } = account();
    for (let turn = 0; turn < 5; turn += 1) t.equal(enter(place).outcome, 'admitted');
    t.same(enter(place), { outcome: 'busy' });
    leave(place, 'right');
    t.equal(enter(place).outcome, 'admitted', 'a place that is given back is taken again');
    t.same(enter(place), { outcome: 'busy' });
    for (let turn = 0; turn < 5; turn += 1) leave(place, 'wrong');
    t.equal(enter(place).outcome, 'throttled');
    state.now += 30 * SECOND;
    t.equal(enter(place).outcome, 'admitted', 'after a wait one at a time');
    t.same(enter(place), { outcome: 'busy' });
    leave(place, 'wrong');
    t.same(guess(place), { outcome: 'throttled', wait: 60 * SECOND });
  }
});

t.test('AUT-04 from however many places at once, 100 are checked for an account', async (t) => {
  const { enter, leave, state } = account();
  const outcomes = Array.from({ length: 500 }, (_, prefix) => enter(net(prefix)).outcome);
  t.equal(outcomes.filter((outcome) => outcome === 'admitted').length, 100);
  t.equal(outcomes.filter((outcome) => outcome === 'busy').length, 400);
  for (let prefix = 0; prefix < 100; prefix += 1) leave(net(prefix), 'wrong');
  t.same(enter(net('one more')), { outcome: 'throttled', wait: 30 * SECOND });
  state.now += 30 * SECOND;
  const next = Array.from({ length: 500 }, (_, prefix) => enter(net(1_000 + prefix)).outcome);
  t.equal(next.filter((outcome) => outcome === 'admitted').length, 1);
});

t.test('a check that never ends is given up after a minute, and counts as wrong', async (t) => {
  const { enter, state, guess, buckets } = account();
  for (let turn = 0; turn < 5; turn += 1) enter(net(1));
  state.now += 59_999;
  t.same(enter(net(1)), { outcome: 'busy' });
  state.now += 1;
  t.equal(guess(net(1)).outcome, 'admitted', 'the wait has passed meanwhile');
  t.same(guess(net(1)), { outcome: 'throttled', wait: 60 * SECOND });
  t.equal(buckets().find(({ key }) => key === 'password all')?.failures, 6);
});

t.test(
  'AUT-06 a device and a session have their own budget, which no stranger uses up',
  async (t) => {
    const { guess, enter } = account();
    for (let prefix = 0; prefix < 500; prefix += 1) guess(net(prefix));
    t.equal(enter(net('the owner, elsewhere')).outcome, 'throttled');
    t.equal(guess(owner, 'right').outcome, 'admitted');
    t.equal(guess(session, 'right').outcome, 'admitted');
    for (let turn = 0; turn < 5; turn += 1) guess(owner);
    t.equal(guess(owner).outcome, 'throttled');
    t.equal(guess({ device: 'another' }).outcome, 'admitted', 'each its own');
    t.equal(guess(session).outcome, 'admitted');
  },
);

t.test('AUT-05 MFA-08 password, TOTP and recovery code each have their own count', async (t) => {
  const factors = ['password', 'totp', 'recovery'] as const;
  for (const place of places) {
    for (const factor of factors) {
      const { guess } = account();
      for (let turn = 0; turn < 5; turn += 1) guess(place, 'wrong', factor);
      for (const other of factors.filter((each) => each !== factor)) {
        t.equal(guess(place, 'right', other).outcome, 'admitted');
      }
      t.equal(
        guess(place, 'right', factor).outcome,
        'throttled',
        'and forgives nothing of another',
      );
    }
  }
});

t.test('guesses from many places push out prefixes, and nothing else', async (t) => {
  const { guess, buckets, state } = account();
  for (let turn = 0; turn < 3; turn += 1) {
    guess(owner);
    guess(session);
    guess(net('first'), 'wrong', 'totp');
  }
  state.now += SECOND;
  for (let prefix = 0; prefix < 90; prefix += 1) {
    guess(net(prefix));
    state.now += SECOND;
  }
  const kept = (name: string) => buckets().filter(({ key }) => key.startsWith(name));
  t.equal(kept('password net').length, 40);
  t.match(kept('password all'), [{ failures: 90 }]);
  t.match(kept('totp all'), [{ failures: 3 }], 'a count that has stood still stays');
  t.match(kept('password device'), [{ failures: 3 }]);
  t.match(kept('password session'), [{ failures: 3 }]);
  t.equal(guess(net(0)).outcome, 'admitted', 'a prefix that was pushed out begins anew');
  t.match(kept('password all'), [{ failures: 91 }], 'but counts for the account all the same');
  state.now += SECOND;
  for (let device = 0; device < 90; device += 1) {
    guess({ device: String(device) });
    state.now += SECOND;
  }
  t.equal(kept('password device').length, 40);
  t.match(kept(`password device ${fingerprint('the phone of the owner')}`), [{ failures: 3 }]);
  t.match(kept('password session'), [{ failures: 3 }], 'nor do devices push out sessions');
  t.equal(kept('password net').length, 40, 'nor do devices push out prefixes');
});

t.test('AUT-05 of however many devices 40 have counts of their own, the others one', async (t) => {
  for (const known of ['device', 'session'] as const) {
    for (const count of [44, 90]) {
      const { guess, state, buckets } = account();
      const place = (index: number) => ({ [known]: `${known} ${index}` }) as Place;
      const checked = { own: 0, common: 0 };
      for (; state.now < NOW + HOUR; state.now += 30 * SECOND) {
        for (let index = 0; index < count; index += 1) {
          while (guess(place(index)).outcome === 'admitted')
            checked[index < 40 ? 'own' : 'common'] += 1;
        }
      }
      t.equal(checked.own, 40 * 12, `${count} of them: each as from one network`);
      t.ok(checked.common <= 107, `together as from strangers: ${checked.common}`);
      t.ok(buckets().length <= 81, 'and the row stays small');
      for (const index of [0, 39, count - 1]) {
        t.equal(guess(place(index)).outcome, 'throttled', `round after round ${index}`);
      }
      const [free, other] = [{ session: 'mine' }, { device: 'mine' }];
      t.equal(guess(known === 'device' ? free : other, 'right').outcome, 'admitted');
      state.now += 15 * MINUTE;
      t.equal(guess(place(0), 'right').outcome, 'admitted', 'with its count goes its room');
      t.equal(guess({ [known]: 'the one that waited' } as Place).outcome, 'admitted');
    }
  }
});

t.test('a device that finds no room gets in as a stranger would, and is forgiven', async (t) => {
  const { guess, buckets } = account();
  for (let index = 0; index < 40; index += 1) guess({ device: `${index}` });
  t.equal(guess(owner).outcome, 'admitted');
  const counts = () => buckets().filter(({ key }) => /^password (all|net)/.test(key)).length;
  t.equal(counts(), 2);
  t.equal(guess(owner, 'right').outcome, 'admitted');
  t.equal(counts(), 1, 'but not what it cost the account');
});

t.test('a guess that is being checked is not pushed out by ones that have ended', async (t) => {
  const { enter, guess, state, buckets } = account();
  for (let turn = 0; turn < 5; turn += 1) enter(net('slow'));
  state.now += SECOND;
  for (let prefix = 0; prefix < 30; prefix += 1) guess(net(prefix));
  t.same(enter(net('slow')), { outcome: 'busy' });
  t.equal(buckets().flatMap(({ pending }) => pending).length, 10, 'of the place, of the account');
});

t.test('a clock that is set back, by however much, makes nobody wait longer', async (t) => {
  for (const back of [SECOND, MINUTE, HOUR, 30 * DAY, 3_650 * DAY]) {
    const { guess, enter, state } = account();
    for (let turn = 0; turn < 15; turn += 1) {
      guess(owner);
      state.now += 15 * MINUTE;
    }
    state.now -= 15 * MINUTE;
    enter(net(1));
    state.now -= back;
    const admission = guess(owner);
    if (admission.outcome === 'throttled') state.now += admission.wait;
    t.ok(admission.outcome !== 'throttled' || admission.wait <= 15 * MINUTE, `${back} ms`);
    state.now += 30 * MINUTE;
    t.equal(guess(owner, 'right').outcome, 'admitted');
  }
});

t.test('no address and no device stands in the row as it is', async (t) => {
  const { guess, buckets } = account();
  guess(net('198.51.100.77'));
  guess(owner);
  t.notMatch(JSON.stringify(buckets()), /198\.51|phone/);
});

t.test(
  'sixty networks do not wash out the wait of the first one before it has run out',
  async (t) => {
    const { guess, state, buckets } = account();
    for (let turn = 0; turn < 5; turn += 1) guess(net('first'));
    for (let prefix = 0; prefix < 60; prefix += 1) {
      state.now += 400;
      guess(net(prefix));
      t.equal(guess(net('first')).outcome, 'throttled', `after ${prefix + 1} others`);
    }
    t.ok(buckets().length <= 41, 'and the row stays small');
    state.now = NOW + 30 * SECOND;
    t.equal(guess(net('first')).outcome, 'admitted', 'no longer than its wait');
    t.same(guess(net('first')), { outcome: 'throttled', wait: MINUTE }, 'and the next one doubles');
  },
);

t.test('of the networks that need not wait the one goes whose wait ended first', async (t) => {
  const { guess, state, buckets } = account();
  const waited = [net('a'), net('b'), net('c')];
  for (const place of waited) for (let turn = 0; turn < 5; turn += 1) guess(place);
  state.now += 5 * SECOND;
  // Later than those, but it never had to wait.
  guess(net('once'));
  state.now += 26 * SECOND;
  for (let prefix = 0; prefix < 37; prefix += 1) guess(net(prefix));
  const failures = buckets().flatMap(({ key, failures }) =>
    key.startsWith('password net') ? [failures] : [],
  );
  t.same(failures.sort(), [...Array(37).fill(1), 5, 5, 5]);
  for (const place of waited) {
    t.equal(guess(place).outcome, 'admitted');
    t.same(guess(place), { outcome: 'throttled', wait: MINUTE }, 'what it guessed is remembered');
  }
  for (let turn = 0; turn < 5; turn += 1)
    t.equal(guess(net('once')).outcome, 'admitted', 'this one was forgotten');
});

t.test('where every place has to wait a newcomer shares the budget of the account', async (t) => {
  const { enter, leave, guess, state, buckets } = account();
  for (let prefix = 0; prefix < 40; prefix += 1) enter(net(prefix));
  const full = buckets();
  const newcomer = net('newcomer');
  t.match(enter(newcomer), { outcome: 'admitted', budgets: { length: 1 } });
  t.same(
    buckets()
      .map(({ key }) => key)
      .sort(),
    full.map(({ key }) => key).sort(),
    'no place is taken from another, and the row does not grow',
  );
  const own = state.budgets;
  leave(newcomer, 'wrong', NOW, own);
  t.equal(guess({ device: 'known' }, 'right').outcome, 'admitted');
  let admitted = 0;
  while (guess(newcomer).outcome === 'admitted') admitted += 1;
  t.equal(admitted, 59, 'what is left of the hundred of the account');
  t.same(enter(net('another')), { outcome: 'busy' }, 'no more than that is ever checked');
  for (let prefix = 0; prefix < 40; prefix += 1) leave(net(prefix), 'right');
  state.now += 30 * SECOND;
  t.match(enter(newcomer), { outcome: 'admitted', budgets: { length: 2 } });
});

t.test('a device without a place of its own finds none among strangers who all wait', async (t) => {
  const { enter, guess } = account();
  for (let index = 0; index < 40; index += 1) guess({ device: `${index}` });
  for (let prefix = 0; prefix < 40; prefix += 1) enter(net(prefix));
  t.match(enter(owner), { outcome: 'admitted', budgets: { length: 1 } });
});
