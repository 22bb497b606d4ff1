import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { decoyOf } from '../../../src/parts/guessing/decoys.ts';
import { checked, Guessing, throttled } from '../../../src/parts/guessing/guessing.ts';
import type { Subject } from '../../../src/parts/guessing/ledger.ts';
import { newUserId } from '../../../src/parts/ids.ts';
import { Users } from '../../../src/parts/storage/users.ts';
import { newPerson } from '../../../src/rules/accounts.ts';
import type { Place } from '../../../src/rules/budget.ts';
import type { User } from '../../../src/schemas/user.ts';
import { sqliteInMemory, usersOf } from '../../databases.ts';
import { NOW } from '../../rules/samples.ts';

const here: Place = { prefix: '192.0.2.1' };
/** A guess at a password; its client does not go away. */
const fromHere = { factor: 'password', place: here, signal: new AbortController().signal } as const;

const decoys = (emailKey: string) => decoyOf(Buffer.alloc(32, 7), emailKey);

/** Both ledgers, to be asked the same. */
async function ledgers(t: Test) {
  const { users } = await usersOf(t, sqliteInMemory);
  const state = { now: NOW };
  const ada = newPerson(
    { id: newUserId(NOW), email: 'ada@example.com', name: null, passwordHash: 'x' },
    NOW,
  );
  await users.insert(ada);
  const guessing = new Guessing(users, () => state.now, decoys);
  const row = async () => (await users.findById(ada.id)) as User;
  return {
    users,
    state,
    ada,
    guessing,
    row,
    subjects: { known: { row: ada }, unknown: await guessing.subjectAt('nobody@example.com') },
  };
}

const subjectsOf = ({ known, unknown }: Record<'known' | 'unknown', Subject>) =>
  [
    ['a row', known],
    ['an unknown address', unknown],
  ] as const;

t.test('a row and an unknown address count alike', async (t) => {
  const { guessing, subjects, state } = await ledgers(t);
  for (const [name, subject] of subjectsOf(subjects)) {
    for (let turn = 0; turn < 5; turn += 1) {
      await (await guessing.enter(subject, fromHere)).settle('wrong');
    }
    for (const retryAfter of [30, 60]) {
      await t.rejects(
        guessing.enter(subject, fromHere),
        { code: 'throttled', circumstances: { retryAfter } },
        name,
      );
      state.now += retryAfter * 1_000;
      await (await guessing.enter(subject, fromHere)).settle('wrong');
    }
  }
});

t.test(
  'AUT-04 of a thousand at once five are let in, and the rest hear that they must wait',
  async (t) => {
    const { guessing, subjects } = await ledgers(t);
    for (const [name, subject] of subjectsOf(subjects)) {
      let checked = 0;
      const codes = await Promise.all(
        Array.from({ length: 1_000 }, async () => {
          try {
            const guess = await guessing.enter(subject, fromHere);
            checked += 1;
            await sleep(5);
            await guess.settle('wrong');
            return 'wrong';
          } catch (error) {
            return (error as { code: string }).code;
          }
        }),
      );
      t.equal(checked, 5, name);
      t.equal(codes.filter((code) => code === 'throttled').length, 995, name);
    }
  },
);

t.test('right ones wait for one another, and all get in', async (t) => {
  const { guessing, subjects, row } = await ledgers(t);
  for (const [name, subject] of subjectsOf(subjects)) {
    let checking = 0;
    let most = 0;
    const full = Promise.withResolvers<void>();
    await Promise.all(
      Array.from({ length: 40 }, async () => {
        const guess = await guessing.enter(subject, fromHere);
        checking += 1;
        most = Math.max(most, checking);
        if (checking === 5) full.resolve();
        await full.promise;
        // A sixth would get in meanwhile.
        await sleep(2);
        checking -= 1;
        await guess.settle('right');
      }),
    );
    t.equal(most, 5, name);
  }
  t.same((await row()).throttle, [], 'nothing stays behind');
});

t.test('of those who wait only one looks at the row', async (t) => {
  const { guessing, users, ada } = await ledgers(t);
  const taken = await Promise.all(
    Array.from({ length: 5 }, () => guessing.enter({ row: ada }, fromHere)),
  );
  let looks = 0;
  const { changeRow } = users;
  users.changeRow = (...args) => {
    looks += 1;
    return changeRow.apply(users, args) as never;
  };
  const waiting = Array.from({ length: 200 }, () =>
    guessing.enter({ row: ada }, fromHere).catch(({ code }) => code),
  );
  const from = performance.now();
  await sleep(200);
  const waited = performance.now() - from;
  // One each 25 ms, and the first at once.
  t.ok(looks > 0 && looks <= 1 + waited / 25, `${looks} looks in ${waited} ms`);
  users.changeRow = changeRow;
  for (const guess of taken) await guess.settle('wrong');
  t.same(new Set(await Promise.all(waiting)), new Set(['throttled']));
});

t.test('who waits elsewhere, or for another account, is held up by nobody', async (t) => {
  const { guessing, ada } = await ledgers(t);
  for (let turn = 0; turn < 5; turn += 1) {
    await guessing.enter({ row: ada }, fromHere);
  }
  const gone = new AbortController();
  const waiting = guessing.enter({ row: ada }, { ...fromHere, signal: gone.signal });
  const others: Place[] = [{ prefix: '192.0.2.2' }, { device: 'phone' }, { session: 's' }];
  for (const place of others) await guessing.enter({ row: ada }, { ...fromHere, place });
  await guessing.enter(await guessing.subjectAt('eve@example.com'), fromHere);
  await guessing.enter({ row: ada }, { ...fromHere, factor: 'totp' });
  gone.abort();
  await t.rejects(waiting, { code: 'overloaded' }, 'who has gone waits no longer');
});

t.test('nor is a session held up by those who wait for a device', async (t) => {
  const { guessing, ada } = await ledgers(t);
  const gone = new AbortController();
  const enter = (place: Place) =>
    guessing.enter({ row: ada }, { ...fromHere, place, signal: gone.signal });
  for (let guess = 0; guess < 5; guess += 1) await enter({ device: 'phone' });
  const waiting = enter({ device: 'phone' });
  for (const place of [{ session: 's' }, { device: 'tablet' }]) await enter(place);
  gone.abort();
  await t.rejects(waiting, { code: 'overloaded' });
});

t.test('who comes late waits behind those who wait, also once the first has gone', async (t) => {
  const { guessing, ada } = await ledgers(t);
  for (let guess = 0; guess < 5; guess += 1) await guessing.enter({ row: ada }, fromHere);
  const log: string[] = [];
  const enter = (name: string, signal: AbortSignal) =>
    guessing.enter({ row: ada }, { ...fromHere, signal }).catch(() => log.push(name));
  const [first, second] = [new AbortController(), new AbortController()];
  const waiting = [enter('first', first.signal), enter('second', second.signal)];
  first.abort();
  await waiting[0];
  waiting.push(enter('third', AbortSignal.abort()));
  for (let turns = 0; turns < 10; turns += 1) await turn();
  t.same(log, ['first'], 'the third has gone already, and is not asked before the second');
  second.abort();
  await Promise.all(waiting);
  t.same(log, ['first', 'second', 'third']);
});

t.test('so many may wait; a first comer elsewhere is let in all the same', async (t) => {
  const { guessing, ada } = await ledgers(t);
  const gone = new AbortController();
  const enter = (place: Place) =>
    guessing.enter({ row: ada }, { ...fromHere, place, signal: gone.signal });
  const elsewhere = { prefix: '192.0.2.2' };
  await (await enter(elsewhere)).settle('unchecked');
  for (let guess = 0; guess < 5; guess += 1) await enter(here);
  let refused = 0;
  const waiting = Array.from({ length: 1_001 }, () =>
    enter(here).catch(({ code }) => {
      refused += 1;
      return code;
    }),
  );
  await turn();
  t.equal(refused, 0, 'one looks, and a thousand wait');
  let refusal: unknown;
  const late = enter(here).catch((error) => {
    refusal = error;
  });
  await turn();
  t.match(refusal, { code: 'overloaded', circumstances: { retryAfter: 1 } }, 'at once');
  await late;
  t.ok(await enter(elsewhere), 'somebody was there before, but nobody is now');
  gone.abort();
  t.same(new Set(await Promise.all(waiting)), new Set(['overloaded']));
});

t.test('nobody waits for ever', async (t) => {
  const { guessing, ada } = await ledgers(t);
  for (let turn = 0; turn < 5; turn += 1) {
    await guessing.enter({ row: ada }, fromHere);
  }
  const { now } = Date;
  t.teardown(() => {
    Date.now = now;
  });
  const waiting = [1, 2, 3].map(() => guessing.enter({ row: ada }, fromHere));
  const codes = Promise.all(waiting.map((guess) => guess.catch(({ code }) => code)));
  Date.now = () => now() + 10_000;
  t.same(await codes, ['overloaded', 'overloaded', 'overloaded']);
});

t.test('a verdict can go into a write that is made anyway', async (t) => {
  const { guessing, ada, users, row } = await ledgers(t);
  for (const [verdict, failures] of [
    ['wrong', 1],
    ['right', undefined],
  ] as const) {
    const guess = await guessing.enter({ row: ada }, { ...fromHere, place: { device: 'phone' } });
    await users.change(ada.id, (user) => ({
      user: guess.withSettled(user, verdict),
      result: true,
    }));
    t.equal((await row()).throttle[0]?.failures, failures);
  }
});

t.test('an account that goes while it is being guessed at is one that never was', async (t) => {
  const { guessing, ada } = await ledgers(t);
  const gone = { ...ada, id: '00000000-0000-7000-8000-00000000dead' };
  await t.rejects(guessing.enter({ row: gone }, fromHere), {
    code: 'invalid_credentials',
  });
  const inSession = { ...fromHere, place: { session: 'a session' } };
  await t.rejects(
    guessing.enter({ row: gone }, inSession),
    { code: 'token_revoked' },
    'who was signed in to it is signed out',
  );
});

t.test(
  'a count outlives the node, and holds on the others, for known and unknown alike',
  async (t) => {
    const { guessing, subjects, users, state } = await ledgers(t);
    const other = new Guessing(users, () => state.now, decoys);
    for (const [name, subject] of subjectsOf(subjects)) {
      for (let turn = 0; turn < 5; turn += 1) {
        const node = turn % 2 ? guessing : other;
        await (await node.enter(subject, fromHere)).settle('wrong');
      }
      for (const node of [guessing, other, new Guessing(users, () => state.now, decoys)]) {
        await t.rejects(node.enter(subject, fromHere), { code: 'throttled' }, name);
      }
    }
  },
);

t.test('two nodes that make a decoy row at the same moment lose no guess', async (t) => {
  const { users, db } = await usersOf(t, sqliteInMemory);
  // Within one node they would take turns.
  const nodes = [users, new Users(db, { wrote() {}, unreadable() {} })].map(
    (each) => new Guessing(each, () => NOW, decoys),
  );
  const guesses = await Promise.all(
    nodes.map(async (node) => node.enter(await node.subjectAt('nobody@example.com'), fromHere)),
  );
  const { id } = decoys('nobody@example.com');
  const row = await users.findById(id);
  t.match(row, { kind: 'decoy', status: 'deleted', email_key: null });
  for (const bucket of row?.throttle ?? []) t.equal(bucket.pending.length, 2);
  for (const guess of guesses) await guess.settle('unchecked');
  t.same((await users.findById(id))?.throttle, [], 'nothing stays behind');
});

t.test('a check that fails by itself is no guess', async (t) => {
  const { guessing, ada, row } = await ledgers(t);
  const enter = () => guessing.enter({ row: ada }, fromHere);
  t.equal(await checked(await enter(), Promise.resolve('right')), 'right');
  t.equal((await row()).throttle[0]?.pending.length, 1, 'what was checked is still to be settled');
  for (let turns = 0; turns < 10; turns += 1) {
    const failing = checked(await enter(), Promise.reject(new Error('no room')));
    await t.rejects(failing, { message: 'no room' });
  }
  t.same(
    (await row()).throttle.map(({ failures, pending }) => [failures, pending.length]),
    [
      [0, 1],
      [0, 1],
    ],
  );
});

t.test('an unknown address costs the database as many writes as a known one', async (t) => {
  const { guessing, subjects, users } = await ledgers(t);
  const counts = await Promise.all(
    subjectsOf(subjects).map(async ([, subject]) => {
      const id = subject.row.id;
      const begun = (await users.findById(id))?.row_version ?? -1;
      const writes = async () => ((await users.findById(id))?.row_version ?? -1) - begun;
      const seen: number[] = [];
      for (let guess = 0; guess < 5; guess += 1) {
        const admitted = await guessing.enter(subject, fromHere);
        seen.push(await writes());
        await admitted.settle('wrong');
        seen.push(await writes());
      }
      await t.rejects(guessing.enter(subject, fromHere), { code: 'throttled' });
      return [...seen, await writes()];
    }),
  );
  t.same(counts[0], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10], 'none for who has to wait');
  t.same(counts[1], counts[0]);
});

t.test('who finds the budget taken, and cannot wait for it, comes back in a second', async (t) => {
  const circumstances = { retryAfter: 1, user: 'ada' };
  t.match(throttled({ outcome: 'busy' }, 'ada'), { code: 'throttled', circumstances });
  const wait = { outcome: 'throttled', wait: 1_001 } as const;
  t.match(throttled(wait, 'ada'), { circumstances: { retryAfter: 2 } }, 'no sooner than it helps');
});
