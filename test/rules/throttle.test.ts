import t from 'tap';
import { type Budget, budgetOf, type Guessed, type Place } from '../../src/rules/budget.ts';
import { fingerprint } from '../../src/rules/fingerprint.ts';
import { admit, type Verdict, waitAfter, withGuessSettled } from '../../src/rules/throttle.ts';
import type { Bucket } from '../../src/schemas/user.ts';
import { DAY, MINUTE, NOW, SECOND } from './samples.ts';

const HOUR = 60 * MINUTE;

/** The budgets that a password guess from this place uses in an unused account. */
function budgetsOf(place: Place): Budget[] {
  const { result } = admit([], budgetOf('password', place), NOW);
  if (result.outcome !== 'admitted') throw new Error('an empty account has room');
  return result.budgets;
}

/** The buckets of one account, and a clock. */
function account() {
  let buckets: Bucket[] = [];
  const state = { now: NOW, budgets: [] as Budget[] };
  const enter = (place: Place, factor: Guessed = 'password') => {
    const { throttle, result } = admit(buckets, budgetOf(factor, place), state.now);
    buckets = throttle;
    if (result.outcome === 'admitted') state.budgets = result.budgets;
    return result;
  };
  const leave = (place: Place, verdict: Verdict, began = state.now, budgets = budgetsOf(place)) => {
    const { now } = state;
    buckets = withGuessSettled(buckets, budgets, { began, verdict, now });
  };
  /** One guess from admission to verdict. */
  const guess = (place: Place, verdict: Verdict = 'wrong', factor: Guessed = 'password') => {
    const admission = enter(place, factor);
    if (admission.outcome === 'admitted') leave(place, verdict, state.now, state.budgets);
    return admission;
  };
  /** Guesses as early as possible until `end`. Returns when the guesses were admitted (ms since NOW). */
  const guessUntil = (place: () => Place, end: number, factor: Guessed = 'password') => {
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

t.test('waits double from 30 seconds up to 15 minutes', async (t) => {
  const waits = Array.from({ length: 14 }, (_, failures) => waitAfter(failures, 5) / SECOND);
  t.same(waits, [0, 0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900, 900]);
  t.equal(waitAfter(100_000, 5), 15 * MINUTE, 'no overflow');
});

t.test('AUT-05 five failures are free from every place, then the waits begin', async (t) => {
  for (const place of places) {
    const { guess, state } = account();
    for (let turn = 0; turn < 5; turn += 1) t.equal(guess(place).outcome, 'admitted');
    for (const seconds of [30, 60, 120, 240, 480, 900, 900, 900]) {
      t.same(guess(place), { outcome: 'throttled', wait: seconds * SECOND });
      state.now += seconds * SECOND - 1;
      t.same(guess(place), { outcome: 'throttled', wait: 1 });
      state.now += 1;
      t.equal(guess(place).outcome, 'admitted', 'one guess after each wait');
    }
  }
});

t.test('a guess that is refused is not counted, and writes nothing', async (t) => {
  const { guess, buckets } = account();
  for (let turn = 0; turn < 5; turn += 1) guess(net(1));
  const before = buckets();
  for (let turn = 0; turn < 50; turn += 1) guess(net(1));
  t.equal(buckets(), before, 'the same object');
});

t.test('one place gets 5 guesses at once, 12 in an hour and 104 in a day', async (t) => {
  const { guessUntil } = account();
  const at = guessUntil(() => net(1), NOW + DAY);
  t.equal(at.filter((when) => when === 0).length, 5);
  t.equal(at.filter((when) => when < HOUR).length, 12);
  t.equal(at.length, 104);
});

t.test(
  'AUT-05 an account gets 107 guesses in an hour and 199 in a day, from any number of networks',
  async (t) => {
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
    t.ok(buckets().length <= 41, 'the row stays small');
  },
);

t.test(
  'a guesser who waits until failures are forgotten gets fewer than 104 guesses a day',
  async (t) => {
    const { guessUntil } = account();
    const at = guessUntil(() => net(Math.random()), NOW + DAY);
    const rates = at.map((last, index) => ((index + 1) * DAY) / (last + DAY));
    t.equal(Math.floor(Math.max(...rates)), 103);
  },
);

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
  t.same(buckets(), [], 'the row is empty again');
});

t.test('a right guess clears the failures of its own place only', async (t) => {
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

t.test('a guess that was not checked is not counted', async (t) => {
  const { guess, buckets } = account();
  for (let turn = 0; turn < 20; turn += 1) t.equal(guess(net(1), 'unchecked').outcome, 'admitted');
  t.same(buckets(), []);
});

t.test(
  'AUT-04 guesses that are being checked use up the budget, and the next one is busy',
  async (t) => {
    for (const place of places) {
      const { enter, leave, state, guess } = account();
      for (let turn = 0; turn < 5; turn += 1) t.equal(enter(place).outcome, 'admitted');
      t.same(enter(place), { outcome: 'busy' });
      leave(place, 'right');
      t.equal(enter(place).outcome, 'admitted', 'a place that is given back can be taken again');
      t.same(enter(place), { outcome: 'busy' });
      for (let turn = 0; turn < 5; turn += 1) leave(place, 'wrong');
      t.equal(enter(place).outcome, 'throttled');
      state.now += 30 * SECOND;
      t.equal(enter(place).outcome, 'admitted', 'after a wait, one at a time');
      t.same(enter(place), { outcome: 'busy' });
      leave(place, 'wrong');
      t.same(guess(place), { outcome: 'throttled', wait: 60 * SECOND });
    }
  },
);

t.test('AUT-04 from 500 networks at once, 100 guesses at an account are checked', async (t) => {
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

t.test('a check that never ends counts as wrong after a minute', async (t) => {
  const { enter, state, guess, buckets } = account();
  for (let turn = 0; turn < 5; turn += 1) enter(net(1));
  state.now += 59_999;
  t.same(enter(net(1)), { outcome: 'busy' });
  state.now += 1;
  t.equal(guess(net(1)).outcome, 'admitted', 'the wait has passed in the meantime');
  t.same(guess(net(1)), { outcome: 'throttled', wait: 60 * SECOND });
  t.equal(buckets().find(({ key }) => key === 'password all')?.failures, 6);
});

t.test(
  'AUT-06 a device and a session have their own budget, which strangers cannot use up',
  async (t) => {
    const { guess, enter } = account();
    for (let prefix = 0; prefix < 500; prefix += 1) guess(net(prefix));
    t.equal(enter(net('the owner, elsewhere')).outcome, 'throttled');
    t.equal(guess(owner, 'right').outcome, 'admitted');
    t.equal(guess(session, 'right').outcome, 'admitted');
    for (let turn = 0; turn < 5; turn += 1) guess(owner);
    t.equal(guess(owner).outcome, 'throttled');
    t.equal(guess({ device: 'another' }).outcome, 'admitted', 'each device has its own');
    t.equal(guess(session).outcome, 'admitted');
  },
);

t.test('AUT-05 MFA-08 password, TOTP code and recovery code are counted apart', async (t) => {
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
        'a success clears no other factor',
      );
    }
  }
});

t.test('guesses from many networks push out networks, and nothing else', async (t) => {
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
  t.match(kept('totp all'), [{ failures: 3 }], 'a count that does not grow stays');
  t.match(kept('password device'), [{ failures: 3 }]);
  t.match(kept('password session'), [{ failures: 3 }]);
  t.equal(guess(net(0)).outcome, 'admitted', 'a network that was pushed out starts again');
  t.match(kept('password all'), [{ failures: 91 }], 'but still counts for the account');
  state.now += SECOND;
  for (let device = 0; device < 90; device += 1) {
    guess({ device: String(device) });
    state.now += SECOND;
  }
  t.equal(kept('password device').length, 40);
  t.match(kept(`password device ${fingerprint('the phone of the owner')}`), [{ failures: 3 }]);
  t.match(kept('password session'), [{ failures: 3 }], 'devices do not push out sessions');
  t.equal(kept('password net').length, 40, 'devices do not push out networks');
});

t.test(
  'AUT-05 40 devices have their own budget, and all others share that of strangers',
  async (t) => {
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
        t.equal(checked.own, 40 * 12, `${count} of them: each gets as much as one network`);
        t.ok(checked.common <= 107, `the others get as much as strangers: ${checked.common}`);
        t.ok(buckets().length <= 81, 'the row stays small');
        for (const index of [0, 39, count - 1]) {
          t.equal(guess(place(index)).outcome, 'throttled', `device ${index} waits in every round`);
        }
        const [free, other] = [{ session: 'mine' }, { device: 'mine' }];
        t.equal(guess(known === 'device' ? free : other, 'right').outcome, 'admitted');
        state.now += 15 * MINUTE;
        t.equal(
          guess(place(0), 'right').outcome,
          'admitted',
          'its budget is free for another device',
        );
        t.equal(guess({ [known]: 'the one that waited' } as Place).outcome, 'admitted');
      }
    }
  },
);

t.test(
  'a device beyond the limit is admitted as a stranger, and a success clears its failures',
  async (t) => {
    const { guess, buckets } = account();
    for (let index = 0; index < 40; index += 1) guess({ device: `${index}` });
    t.equal(guess(owner).outcome, 'admitted');
    const counts = () => buckets().filter(({ key }) => /^password (all|net)/.test(key)).length;
    t.equal(counts(), 2);
    t.equal(guess(owner, 'right').outcome, 'admitted');
    t.equal(counts(), 1, 'but not those of the account');
  },
);

t.test('a guess that is being checked is not pushed out by ones that have ended', async (t) => {
  const { enter, guess, state, buckets } = account();
  for (let turn = 0; turn < 5; turn += 1) enter(net('slow'));
  state.now += SECOND;
  for (let prefix = 0; prefix < 30; prefix += 1) guess(net(prefix));
  t.same(enter(net('slow')), { outcome: 'busy' });
  t.equal(
    buckets().flatMap(({ pending }) => pending).length,
    10,
    'five for the network, five for the account',
  );
});

t.test('a clock that is set back never makes a wait longer', async (t) => {
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

t.test('the row contains no network address and no device ID in plain', async (t) => {
  const { guess, buckets } = account();
  guess(net('198.51.100.77'));
  guess(owner);
  t.notMatch(JSON.stringify(buckets()), /198\.51|phone/);
});

t.test('guesses from sixty other networks do not end the wait of the first one', async (t) => {
  const { guess, state, buckets } = account();
  for (let turn = 0; turn < 5; turn += 1) guess(net('first'));
  for (let prefix = 0; prefix < 60; prefix += 1) {
    state.now += 400;
    guess(net(prefix));
    t.equal(guess(net('first')).outcome, 'throttled', `after ${prefix + 1} others`);
  }
  t.ok(buckets().length <= 41, 'the row stays small');
  state.now = NOW + 30 * SECOND;
  t.equal(guess(net('first')).outcome, 'admitted', 'after its wait');
  t.same(guess(net('first')), { outcome: 'throttled', wait: MINUTE }, 'the next wait doubles');
});

t.test(
  'among networks that need not wait, the one whose wait ended first is dropped',
  async (t) => {
    const { guess, state, buckets } = account();
    const waited = [net('a'), net('b'), net('c')];
    for (const place of waited) for (let turn = 0; turn < 5; turn += 1) guess(place);
    state.now += 5 * SECOND;
    // A later guess, but this network never had to wait.
    guess(net('once'));
    state.now += 26 * SECOND;
    for (let prefix = 0; prefix < 37; prefix += 1) guess(net(prefix));
    const failures = buckets().flatMap(({ key, failures }) =>
      key.startsWith('password net') ? [failures] : [],
    );
    t.same(failures.sort(), [...Array(37).fill(1), 5, 5, 5]);
    for (const place of waited) {
      t.equal(guess(place).outcome, 'admitted');
      t.same(guess(place), { outcome: 'throttled', wait: MINUTE }, 'its failures are remembered');
    }
    for (let turn = 0; turn < 5; turn += 1)
      t.equal(guess(net('once')).outcome, 'admitted', 'this network was dropped');
  },
);

t.test('while every network waits, a new one has only the budget of the account', async (t) => {
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
    'no network is dropped, and the row does not grow',
  );
  const own = state.budgets;
  leave(newcomer, 'wrong', NOW, own);
  t.equal(guess({ device: 'known' }, 'right').outcome, 'admitted');
  let admitted = 0;
  while (guess(newcomer).outcome === 'admitted') admitted += 1;
  t.equal(admitted, 59, 'the rest of the hundred of the account');
  t.same(enter(net('another')), { outcome: 'busy' }, 'no more are checked at once');
  for (let prefix = 0; prefix < 40; prefix += 1) leave(net(prefix), 'right');
  state.now += 30 * SECOND;
  t.match(enter(newcomer), { outcome: 'admitted', budgets: { length: 2 } });
});

t.test(
  'a device beyond the limit has only the budget of the account while every network waits',
  async (t) => {
    const { enter, guess } = account();
    for (let index = 0; index < 40; index += 1) guess({ device: `${index}` });
    for (let prefix = 0; prefix < 40; prefix += 1) enter(net(prefix));
    t.match(enter(owner), { outcome: 'admitted', budgets: { length: 1 } });
  },
);
