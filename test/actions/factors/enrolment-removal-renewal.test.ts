import { setTimeout as sleep } from 'node:timers/promises';
import { TOTP } from 'otpauth';
import t, { type Test } from 'tap';
import type { Proof } from '../../../src/actions/factors/factors.ts';
import { renewRecoveryCodes } from '../../../src/actions/factors/recovery-code/renewal.ts';
import { beginEnrolment, confirmEnrolment } from '../../../src/actions/factors/totp/enrolment.ts';
import { removeSecondFactor } from '../../../src/actions/factors/totp/removal.ts';
import { randomId } from '../../../src/parts/ids.ts';
import {
  hashRecoveryCode,
  newRecoveryCodes,
} from '../../../src/parts/second-factor/recovery-codes.ts';
import { liveSession, withNewSession } from '../../../src/rules/sessions.ts';
import type { User } from '../../../src/schemas/user.ts';
import { butForCounts, factor, signedIn } from '../../people.ts';
import { NOW, SECOND } from '../../rules/samples.ts';
import { PASSWORD } from '../../test-app.ts';
import { appWithLetters } from '../letters.ts';

const app = await appWithLetters(t);
const { context, clock, posted, told } = app;
const { signal } = new AbortController();
const password_hash = await context.passwords.hash(PASSWORD);
const made = await newRecoveryCodes(context.passwords);
const challenges = [{ id: 'challenge', tries: 2, until: NOW + 60 * SECOND }];
let count = 0;

/** A signed-in caller with another session besides, and, if `inForce`, a second factor. */
async function callerOf({ inForce, of = app }: { inForce: boolean; of?: typeof app }) {
  const { context } = of;
  const { users } = context;
  count += 1;
  const email = `ada${count}@example.com`;
  const { id, access_token } = await signedIn(of, email, { password_hash });
  const { mfa, code } = factor(of, { id });
  const caller = context.accessTokens.read(access_token);
  const row = async () => (await users.findById(id)) as User;
  const change = (next: Partial<User>) =>
    users.change(id, (user) => ({ user: { ...user, ...next }, result: true }));
  const signIn = { id: randomId(), amr: ['pwd'], transport: 'body' as const, client: 'there' };
  const there = withNewSession(await row(), signIn, NOW, context.sessionLimits);
  await change({
    sessions: there.user.sessions,
    mfa: inForce ? { ...mfa, recovery: made.recovery, challenges } : { challenges },
  });
  const isLive = async (sid: string) => liveSession(await row(), sid, clock.now) !== undefined;
  return {
    caller,
    email,
    row,
    change,
    code,
    here: () => isLive(caller.sid),
    there: () => isLive(there.session.id),
  };
}

const full = (proof: Proof, password = PASSWORD) => ({ password, proof, signal });
/** Not the code of now, nor of the step before. */
const wrongOf = (code: string): string => String((Number(code) + 1) % 1_000_000).padStart(6, '0');

/** Each begins at the same time, and leaves no letter. */
const test = (title: string, body: (t: Test) => Promise<unknown>) =>
  t.test(title, async (t) => {
    clock.now = NOW;
    await body(t);
    await posted();
  });

test('MFA-06 enrolment needs the password, and puts nothing into force', async (t) => {
  const { caller, row } = await callerOf({ inForce: false });
  const before = await row();
  await t.rejects(beginEnrolment(context, caller, { password: 'wrong', signal }), {
    code: 'wrong_password',
  });
  t.same(butForCounts(await row()), butForCounts(before));
  const { user, secret } = await beginEnrolment(context, caller, { password: PASSWORD, signal });
  t.same(butForCounts(user), butForCounts(before));
  const after = await row();
  t.equal(after.mfa.totp, undefined);
  t.ok(after.mfa.pending);
  t.same(after.mfa.challenges, challenges, 'what else there was stays');
  const code = new TOTP({ secret }).generate({ timestamp: NOW });
  t.equal((await confirmEnrolment(context, caller, code)).length, 10, 'the secret is the pending');
});

test('a factor in force is not replaced by another enrolment', async (t) => {
  const { caller, row, code } = await callerOf({ inForce: true });
  const { mfa } = await row();
  const enabled = { code: 'mfa_enabled' };
  await t.rejects(beginEnrolment(context, caller, { password: PASSWORD, signal }), enabled);
  await t.rejects(confirmEnrolment(context, caller, code()), enabled);
  t.same((await row()).mfa, mfa);
  t.same(await posted(), []);
});

test('one right code puts the secret into force, and ends who never showed it', async (t) => {
  const { caller, email, row, change, code, here, there } = await callerOf({ inForce: true });
  const { mfa } = await row();
  await t.rejects(confirmEnrolment(context, caller, code()), { code: 'mfa_enabled' });
  const { totp: pending, ...others } = mfa;
  await change({ mfa: { ...others, pending } });
  const before = await row();
  const wrong = wrongOf(code());
  await t.rejects(confirmEnrolment(context, caller, wrong), { code: 'wrong_code' });
  t.same((await row()).mfa, { ...before.mfa, pending: { ...pending, tries: 1 } }, 'it is counted');
  t.same(await posted(), []);

  clock.advance(5);
  const codes = await confirmEnrolment(context, caller, code());
  const after = await row();
  t.equal(new Set(codes).size, 10);
  t.same(Object.keys(after.mfa).sort(), ['challenges', 'recovery', 'totp'], 'nothing is pending');
  t.same(after.mfa.challenges, challenges);
  t.equal(after.mfa.totp?.last_step, NOW / (30 * SECOND), 'the code is used up');
  const hash = await hashRecoveryCode(context.passwords, after, codes[0] as string, { signal });
  t.ok(after.mfa.recovery?.hashes.includes(hash), 'the codes are those of the row');
  t.notOk(made.recovery?.hashes.some((old) => after.mfa.recovery?.hashes.includes(old)));
  t.equal(await here(), true);
  t.equal(await there(), false);
  const amrs = new Map(after.sessions.map(({ id, amr }) => [id, amr]));
  t.same(amrs.get(caller.sid), ['pwd', 'otp', 'mfa'], 'this session has shown it');
  amrs.delete(caller.sid);
  t.same([...amrs.values()], [['pwd']], 'the other one has not');
  t.same(await told(), [{ to: email, subject: 'Second factor turned on' }]);
});

test('what a session has shown is not said twice', async (t) => {
  const { caller, row, change, code } = await callerOf({ inForce: true });
  const { mfa, sessions } = await row();
  await change({
    mfa: { pending: mfa.totp, challenges: [] },
    sessions: sessions.map((session) => ({ ...session, amr: ['pwd', 'otp', 'mfa'] })),
  });
  await confirmEnrolment(context, caller, code());
  const session = liveSession(await row(), caller.sid, NOW);
  t.same(session?.amr, ['pwd', 'otp', 'mfa']);
});

test('without a pending secret there is nothing to confirm', async (t) => {
  const { caller, row, code } = await callerOf({ inForce: false });
  const before = await row();
  const refused = { code: 'mfa_not_enabled', circumstances: { detail: /Begin again/ } };
  await t.rejects(confirmEnrolment(context, caller, code()), refused);
  t.same(await row(), before);
});

test('a secret that is replaced while its recovery codes are made is not put into force', async (t) => {
  const { caller, row, change, code } = await callerOf({ inForce: true });
  const { totp } = (await row()).mfa;
  const other = { secret: 'another', last_step: 0 };
  for (const [mfa, refusal] of [
    [{ pending: other, challenges }, 'wrong_code'],
    [{ challenges }, 'mfa_not_enabled'],
    [{ totp: other, challenges }, 'mfa_enabled'],
  ] as const) {
    await change({ mfa: { pending: totp, challenges } });
    // It looks at the row first, and then makes ten hashes.
    const confirming = confirmEnrolment(context, caller, code());
    await Promise.all([t.rejects(confirming, { code: refusal }), change({ mfa: { ...mfa } })]);
    t.same((await row()).mfa, mfa);
  }
  t.same(await posted(), []);
});

test('the fifth wrong code drops the pending secret, and nothing else', async (t) => {
  const { caller, row, change, code } = await callerOf({ inForce: true });
  const { mfa } = await row();
  await change({ mfa: { pending: mfa.totp, challenges } });
  const wrong = wrongOf(code());
  for (let turn = 1; turn <= 5; turn += 1) {
    t.equal((await row()).mfa.pending?.tries ?? 0, turn - 1);
    await t.rejects(confirmEnrolment(context, caller, wrong), { code: 'wrong_code' });
  }
  t.same((await row()).mfa, { challenges });
  await t.rejects(confirmEnrolment(context, caller, code()), { code: 'mfa_not_enabled' });
  const { secret } = await beginEnrolment(context, caller, { password: PASSWORD, signal });
  const right = new TOTP({ secret }).generate({ timestamp: NOW });
  await t.rejects(confirmEnrolment(context, caller, wrongOf(right)), {
    code: 'wrong_code',
  });
  t.equal((await row()).mfa.pending?.tries, 1, 'a new secret has five again');
  t.equal((await confirmEnrolment(context, caller, right)).length, 10);
  t.notOk('tries' in ((await row()).mfa.totp ?? {}), 'in force nothing is left of the count');
});

test('MFA-07 with password and factor it goes, and every other session ends', async (t) => {
  const { caller, email, row, code, here, there } = await callerOf({ inForce: true });
  await removeSecondFactor(context, caller, full({ kind: 'totp', given: code() }));
  t.same((await row()).mfa, { challenges: [] });
  t.equal(await here(), true);
  t.equal(await there(), false);
  t.same(await told(), [{ to: email, subject: 'Second factor turned off' }]);
  const again = { code: 'mfa_not_enabled' };
  await t.rejects(
    removeSecondFactor(context, caller, full({ kind: 'totp', given: code() })),
    again,
  );
  await t.rejects(
    renewRecoveryCodes(context, caller, full({ kind: 'totp', given: code() })),
    again,
  );
  t.same(await posted(), []);
});

test('MFA-09 a new set of codes replaces the old one, and ends no session', async (t) => {
  const { caller, email, row, code, here, there } = await callerOf({ inForce: true });
  const { mfa } = await row();
  const codes = await renewRecoveryCodes(context, caller, full({ kind: 'totp', given: code() }));
  const after = await row();
  t.equal(new Set([...codes, ...made.codes]).size, 20);
  t.equal(
    new Set([...(after.mfa.recovery?.hashes ?? []), ...(made.recovery?.hashes ?? [])]).size,
    20,
  );
  t.equal(after.mfa.totp?.last_step, NOW / (30 * SECOND), 'the code is used up');
  t.same(after.mfa.challenges, mfa.challenges);
  t.same([await here(), await there()], [true, true]);
  t.same(await told(), [{ to: email, subject: 'New recovery codes' }]);
});

test('a recovery code proves as much, once', async (t) => {
  const { caller, row } = await callerOf({ inForce: true });
  const proof = { kind: 'recovery_code' as const, given: made.codes[0] as string };
  await renewRecoveryCodes(context, caller, full(proof));
  await t.rejects(renewRecoveryCodes(context, caller, full(proof)), { code: 'wrong_code' });
  t.equal((await row()).mfa.recovery?.hashes.length, 10);
});

test('MFA-07 one without the other changes nothing, and is counted', async (t) => {
  const { caller, row, code } = await callerOf({ inForce: true });
  const before = await row();
  const refusals = [
    [full({ kind: 'totp', given: wrongOf(code()) }), 'wrong_code'],
    [full({ kind: 'totp', given: code() }, 'wrong'), 'wrong_password'],
  ] as const;
  for (const [proof, refusal] of refusals) {
    await t.rejects(removeSecondFactor(context, caller, proof), { code: refusal });
    await t.rejects(renewRecoveryCodes(context, caller, proof), { code: refusal });
  }
  const after = await row();
  t.same(butForCounts(after), butForCounts(before));
  t.same(
    after.throttle.map(({ key, failures }) => [key, failures]).sort(),
    [
      [`password session ${caller.sid}`, 2],
      [`totp session ${caller.sid}`, 2],
    ],
    'in this session, where no stranger guesses',
  );
  t.same(await posted(), []);
});

test('a factor that goes while new codes are made is not there any more', async (t) => {
  const of = await appWithLetters(t, { pace: 'real' });
  const { caller, row, change, code } = await callerOf({ inForce: true, of });
  const before = (await row()).mfa.totp?.last_step;
  const renewing = renewRecoveryCodes(of.context, caller, full({ kind: 'totp', given: code() }));
  const gone = (async () => {
    while ((await row()).mfa.totp?.last_step === before) await sleep(1);
    await change({ mfa: { challenges: [] } });
  })();
  await t.rejects(renewing, { code: 'mfa_not_enabled' });
  await gone;
  t.same((await row()).mfa, { challenges: [] });
  t.same(await of.posted(), []);
});

t.test('a wrong code costs no hash', async (t) => {
  const of = await appWithLetters(t, { env: { HASH_CONCURRENCY: '1', HASH_QUEUE: '0' } });
  const { caller, row, change, code } = await callerOf({ inForce: true, of });
  const { totp: pending, challenges } = (await row()).mfa;
  await change({ mfa: { pending, challenges } });
  const { promise, resolve } = Promise.withResolvers<void>();
  const busy = of.context.hashQueue.run(() => promise);
  const wrong = wrongOf(code());
  await t.rejects(confirmEnrolment(of.context, caller, wrong), { code: 'wrong_code' });
  await t.rejects(confirmEnrolment(of.context, caller, code()), { code: 'overloaded' });
  resolve();
  await busy;
});
