import t, { type Test } from 'tap';
import { answerChallenge, issueChallenge } from '../../../src/actions/factors/challenge.ts';
import { type Proof, prepareCheck, readyFactors } from '../../../src/actions/factors/factors.ts';
import { decideGuess } from '../../../src/actions/factors/guess.ts';
import { passwordState } from '../../../src/actions/tokens/mailed-tokens.ts';
import { newUserId } from '../../../src/parts/ids.ts';
import { newRecoveryCodes } from '../../../src/parts/second-factor/recovery-codes.ts';
import { newPerson } from '../../../src/rules/accounts.ts';
import type { User } from '../../../src/schemas/user.ts';
import { factor } from '../../people.ts';
import { MINUTE, NOW, SECOND } from '../../rules/samples.ts';
import { appWithLetters } from '../letters.ts';

const app = await appWithLetters(t);
const { context, clock, posted, told } = app;
const { users, ownTokens } = context;
const { signal } = new AbortController();
const here = { prefix: '192.0.2.1', signal };
const { codes, recovery } = await newRecoveryCodes(context.passwords);
const strange: Proof = { kind: 'recovery_code', given: 'AAAA-AAAA-AAAA-AAAA' };
const invalid = { code: 'challenge_invalid' };
let count = 0;

/** A user with a second factor and recovery codes. `right`: the current code. `wrong`: not a valid code. */
async function userOf(changes: Partial<User> = {}) {
  count += 1;
  const email = `ada${count}@example.com`;
  const person = newPerson(
    { id: newUserId(NOW), email, name: null, passwordHash: '$argon2id$none' },
    NOW,
  );
  const { mfa, code } = factor(app, person);
  const user: User = { ...person, mfa: { ...mfa, recovery }, ...changes };
  await users.insert(user);
  const row = async () => (await users.findById(user.id)) as User;
  const change = (next: (user: User) => Partial<User>) =>
    users.change(user.id, (before) => ({ user: { ...before, ...next(before) }, result: true }));
  const challenge = (device?: string) =>
    issueChallenge(context, { user, device, transport: 'cookie' });
  const right = (): Proof => ({ kind: 'totp', given: code() });
  const wrong = (): Proof => ({
    kind: 'totp',
    given: String((Number(code()) + 1) % 1e6).padStart(6, '0'),
  });
  return { user, row, change, challenge, right, wrong };
}

const answer = (token: string, proof: Proof, source = here) =>
  answerChallenge(context, { token, proof, client: 'a browser', binding: {}, source });
const idOf = (token: string) => ownTokens.read('mfa', token)?.jti;

/** Every test starts at the same time. */
const test = (title: string, body: (t: Test) => Promise<unknown>) =>
  t.test(title, async (t) => {
    clock.now = NOW;
    await body(t);
  });

test('a challenge carries what it is bound to, and lives for five minutes', async (t) => {
  const { user, challenge } = await userOf({ token_version: 3 });
  const token = challenge();
  const { iss, aud, jti = '', ...claims } = ownTokens.read('mfa', token) ?? {};
  t.same(claims, {
    sub: user.id,
    ver: 3,
    was: passwordState(user),
    transport: 'cookie',
    iat: NOW / SECOND,
    exp: NOW / SECOND + 300,
  });
  t.equal(Buffer.from(jti, 'base64url').length, 16);
  t.not(idOf(challenge()), jti);
  t.equal(ownTokens.read('mfa', challenge('phone'))?.dev, 'phone');
  clock.now = NOW + 5 * MINUTE;
  t.equal(ownTokens.read('mfa', token), undefined);
});

test('a code signs in, and the session records how', async (t) => {
  const { row, challenge, right } = await userOf();
  clock.advance(5);
  const done = await answer(challenge(), right());
  const after = await row();
  t.same(done.user, { ...after, row_version: 0 });
  t.same(after.sessions, [done.session]);
  t.match(done.session, { transport: 'cookie', client: 'a browser', created_at: NOW + 5 });
  t.same(done.session.amr, ['pwd', 'otp', 'mfa']);
  t.equal(after.last_login_at, NOW + 5);
  t.equal(after.mfa.totp?.last_step, NOW / (30 * SECOND), 'the code is spent');
  t.same(after.mfa.recovery, recovery, 'no recovery code is spent');
  t.same(
    after.throttle.map(({ failures }) => failures).filter(Boolean),
    [],
    'a right code is not counted',
  );
  t.match(done.device, /^[\w-]{22}$/, 'an unknown device gets a new ID');
  t.same(await posted(), []);
});

test('a recovery code signs in once, and the owner gets a notice', async (t) => {
  const { user, row, challenge } = await userOf();
  const done = await answer(challenge('phone'), {
    kind: 'recovery_code',
    given: codes[0] as string,
  });
  t.same(done.session.amr, ['pwd', 'mfa']);
  t.equal(done.device, 'phone', 'the device of the first step');
  const after = await row();
  t.equal(after.mfa.recovery?.hashes.length, 9);
  t.same(after.mfa.totp, user.mfa.totp);
  t.same(await told(), [{ to: user.email, subject: 'A recovery code was used' }]);
  const again = answer(challenge(), { kind: 'recovery_code', given: codes[0] as string });
  await t.rejects(again, { code: 'invalid_code' });
  t.same(await posted(), []);
});

test('a wrong proof signs nobody in, and counts for the challenge and the place', async (t) => {
  const { user, row, challenge, wrong } = await userOf();
  const token = challenge();
  for (const [proof, kind] of [
    [wrong(), 'totp'],
    [strange, 'recovery'],
  ] as const) {
    const refusal = { code: 'invalid_code', circumstances: { user: user.id } };
    await t.rejects(answer(token, proof), refusal);
    const counted = (await row()).throttle.filter(({ key }) => key.startsWith(`${kind} `));
    t.same(
      counted.map(({ failures, pending }) => [failures, pending]),
      [
        [1, []],
        [1, []],
      ],
      'for the place and for the account',
    );
  }
  const after = await row();
  t.same(after.mfa, {
    ...user.mfa,
    challenges: [{ id: idOf(token), tries: 2, until: NOW + 5 * MINUTE }],
  });
  t.same(after.sessions, []);
  t.equal(after.last_login_at, null);
  t.same(await posted(), []);
});

test('MFA-08 a challenge has five tries, and none after it was used', async (t) => {
  const { row, change, challenge, right } = await userOf();
  const [tried, used, spent] = [challenge(), challenge(), challenge()];
  const until = NOW + 5 * MINUTE;
  const challenges = [
    { id: idOf(tried) as string, tries: 4, until },
    { id: idOf(spent) as string, tries: 5, until },
  ];
  await change((user) => ({ mfa: { ...user.mfa, challenges } }));
  await t.rejects(answer(spent, right()), invalid);
  t.same((await row()).mfa.challenges, challenges, 'nothing is written');
  await t.rejects(answer(tried, strange), { code: 'invalid_code' });
  await t.rejects(answer(tried, right()), invalid, 'even a right one');
  await answer(used, right());
  t.same(
    (await row()).mfa.challenges.map(({ id, tries }) => [id, tries]),
    [
      [idOf(used), 5],
      [idOf(tried), 5],
      [idOf(spent), 5],
    ],
  );
  clock.advance(30 * SECOND);
  await t.rejects(answer(used, right()), invalid, 'a challenge signs in once');
  await t.rejects(answer(used, { kind: 'recovery_code', given: codes[1] as string }), invalid);
});

test('using one challenge takes no try from another', async (t) => {
  const { row, challenge, right } = await userOf();
  const [one, two] = [challenge(), challenge()];
  await t.rejects(answer(one, strange), { code: 'invalid_code' });
  await answer(two, right());
  t.same(
    (await row()).mfa.challenges.map(({ id, tries }) => [id, tries]),
    [
      [idOf(two), 5],
      [idOf(one), 1],
    ],
  );
});

test('the row keeps the newest twenty challenges that have not expired', async (t) => {
  const { row, change, challenge } = await userOf();
  const kept = (until: number, size: number) =>
    Array.from({ length: size }, (_, index) => ({ id: `c${index}`, tries: 1, until }));
  for (const [until, size, left] of [
    [NOW, 3, 0],
    [NOW + 1, 3, 3],
    [NOW + 1, 25, 19],
  ] as const) {
    await change((user) => ({ mfa: { ...user.mfa, challenges: kept(until, size) }, throttle: [] }));
    const token = challenge();
    await t.rejects(answer(token, strange), { code: 'invalid_code' });
    t.same(
      (await row()).mfa.challenges.map(({ id }) => id),
      [idOf(token), ...kept(until, left).map(({ id }) => id)],
    );
  }
});

test('a flood of challenges brings back none that was used or has no tries left', async (t) => {
  const { row, change, challenge, right } = await userOf();
  const [used, spent] = [challenge(), challenge()];
  await answer(used, right());
  for (let count = 0; count < 5; count += 1)
    await t.rejects(answer(spent, strange), { code: 'invalid_code' });
  for (let count = 0; count < 25; count += 1) {
    await change(() => ({ throttle: [] }));
    await t.rejects(answer(challenge(), strange), { code: 'invalid_code' });
  }
  t.equal((await row()).mfa.challenges.length, 20);
  clock.advance(30 * SECOND);
  for (const token of [used, spent]) await t.rejects(answer(token, right()), invalid);
});

test('a challenge that is no longer valid accepts no proof, and spends none', async (t) => {
  const { user, row, change, challenge, right } = await userOf();
  const token = challenge();
  const nobody = issueChallenge(context, {
    user: { ...user, id: 'nobody' },
    device: undefined,
    transport: 'body',
  });
  for (const bad of ['x', nobody]) {
    await t.rejects(answer(bad, right()), invalid);
    await t.rejects(answer(bad, { kind: 'recovery_code', given: codes[2] as string }), invalid);
  }
  const fallen: Partial<User>[] = [
    { status: 'disabled' },
    { status: 'deleted' },
    { token_version: 1 },
    { password_hash: '$argon2id$other' },
    { mfa: { recovery, challenges: [] } },
  ];
  for (const state of fallen) {
    await change(() => ({ ...user, ...state }));
    const before = await row();
    await t.rejects(answer(token, right()), invalid, JSON.stringify(state));
    await t.rejects(answer(token, { kind: 'recovery_code', given: codes[2] as string }), invalid);
    t.same(await row(), before);
  }
  await change(() => user);
  t.ok(
    await answer(token, { kind: 'recovery_code', given: codes[2] as string }),
    'with the row as before, it is valid',
  );
});

test('guesses from elsewhere never lock out the owner of a known device', async (t) => {
  const { row, change, challenge, wrong, right } = await userOf();
  for (let turn = 0; turn < 5; turn += 1)
    await t.rejects(answer(challenge(), wrong()), { code: 'invalid_code' });
  const before = await row();
  const waits = { code: 'throttled', circumstances: { retryAfter: 30 } };
  await t.rejects(answer(challenge(), right()), waits, 'even a right one');
  t.same(await row(), before);
  const there = { ...here, prefix: '192.0.2.2' };
  await t.rejects(answer(challenge(), wrong(), there), { code: 'invalid_code' });
  t.ok(await answer(challenge('phone'), right()));
  await change(({ mfa }) => ({ mfa: { ...mfa, totp: before.mfa.totp } }));
  t.ok(await answer(challenge(), right(), there), 'also from another network');
});

test('one guess is decided and counted in one write', async (t) => {
  const { user, right, wrong } = await userOf();
  const place = { session: 'session' };
  const guess = async (proof: Proof, of = user) => {
    const check = await prepareCheck(context, user, proof, { signal });
    return decideGuess(of, { kind: proof.kind, check, place, now: NOW });
  };
  const done = await guess(right());
  t.match(done, { spent: { mfa: { recovery }, throttle: [] }, user: { ...user, throttle: [] } });
  const failed = [{ key: 'totp session session', failures: 1, failed_at: NOW, pending: [] }];
  t.same(await guess(wrong()), { spent: undefined, user: { ...user, throttle: failed } });
  const guessed = { ...user, throttle: [{ ...failed[0], failures: 4 }] } as User;
  t.same((await guess(right(), guessed)).spent?.throttle, [], 'a right code clears the failures');
  const unproven: User = { ...user, mfa: { pending: user.mfa.totp, recovery, challenges: [] } };
  const proof: Proof = { kind: 'recovery_code', given: codes[3] as string };
  for (const each of [right(), proof])
    t.equal((await guess(each, unproven)).spent, undefined, 'a pending secret is no second factor');
  const { spent, user: counted } = await guess(proof);
  t.same(spent?.mfa.totp, user.mfa.totp);
  t.equal(spent?.mfa.recovery?.hashes.length, 9);
  t.same(counted, user);
  t.same(
    (await guess(strange)).user.throttle.map(({ key }) => key),
    ['recovery session session'],
  );
});

test('a sign-in offers the factors that the user can prove now', async (t) => {
  const { user } = await userOf();
  t.same(readyFactors(user), ['totp', 'recovery_code']);
  const spent = { ...user.mfa, recovery: { ...recovery, hashes: [] } } as User['mfa'];
  t.same(readyFactors({ ...user, mfa: spent }), ['totp']);
  const { totp: _totp, ...pending } = user.mfa;
  t.same(readyFactors({ ...user, mfa: pending }), []);
});
