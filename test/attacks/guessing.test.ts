import type { LightMyRequestResponse } from 'fastify';
import t, { type Test } from 'tap';
import type { User } from '../../src/schemas/user.ts';
import { codeAt, withFactor, wrongCode } from '../authenticator.ts';
import { folder, opened } from '../databases.ts';
import { mailbox } from '../mailbox.ts';
import { passwordHash, proveMailbox, signedIn } from '../people.ts';
import { refused } from '../refused.ts';
import { PASSWORD, type TestApp, TestClock, testApp } from '../test-app.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const ADA = 'ada@example.com';
const WRONG = 'a guess that is not right';
// The queue of each node is long enough that only the guessing budget refuses.
const env = { HASH_QUEUE: '1000' };

const address = (prefix: number) => `10.${prefix >> 16}.${(prefix >> 8) & 255}.${prefix & 255}`;

/** Sends guesses from chosen places, and counts the passwords that were really checked. */
function guesser({ app, context }: TestApp) {
  const state = { checked: 0 };
  const { check } = context.passwords;
  context.passwords.check = (...args) => {
    state.checked += 1;
    return check.apply(context.passwords, args);
  };
  const guess = (payload: object, remoteAddress = address(1), url = '/v1/login') =>
    app.inject({ method: 'POST', url, payload: payload, remoteAddress });
  return {
    state,
    guess,
    wrong: (prefix = 1, email = ADA) => guess({ email, password: WRONG }, address(prefix)),
    right: (prefix = 1, more: object = {}) =>
      guess({ email: ADA, password: PASSWORD, ...more }, address(prefix)),
  };
}

const counted = (answers: { statusCode: number }[]) => {
  const counts: Record<number, number> = {};
  for (const { statusCode } of answers) counts[statusCode] = (counts[statusCode] ?? 0) + 1;
  return counts;
};

const rowOf = async ({ context }: TestApp, email = ADA) =>
  (await context.users.findByEmail(email)) as User;

const throttled = (t: Test, answer: LightMyRequestResponse, seconds: number) => {
  refused(t, answer, 429, 'throttled');
  t.equal(answer.headers['retry-after'], String(seconds));
};

t.test(
  'AUT-04 PWD-08 of a thousand guesses at once five are checked, and then even the right one must wait',
  async (t) => {
    const app = await testApp(t, { env });
    await app.signUp();
    const { wrong, right, state } = guesser(app);
    for (const email of [ADA, 'nobody@example.com']) {
      state.checked = 0;
      const answers = await Promise.all(Array.from({ length: 1_000 }, () => wrong(1, email)));
      // On a slow machine, some time out in the queue.
      const { 401: refusals, 429: later = 0, 503: tired = 0 } = counted(answers);
      t.equal(refusals, 5, email);
      t.equal(later + tired, 995, email);
      t.equal(state.checked, 5, 'hashes');
    }
    throttled(t, await right(), 30);
    app.clock.advance(29_999);
    throttled(t, await right(), 1);
    app.clock.advance(1);
    t.equal((await right()).statusCode, 200, 'after the wait the right password works');
    t.equal((await right()).statusCode, 200, 'and the failures of the place are forgiven');
  },
);

t.test('AUT-04 of guesses from 250 places at once, 100 are checked', async (t) => {
  const app = await testApp(t, { env });
  const { device_token } = await signedIn(app, ADA);
  const { wrong, right, state } = guesser(app);
  const guesses = Array.from({ length: 250 }, (_, prefix) => wrong(prefix));
  const owner = right(9_999, { device_token });
  const answers = await Promise.all(guesses);
  t.equal((await owner).statusCode, 200, 'the owner signs in meanwhile');
  const { 401: refusals = 0, ...others } = counted(answers);
  t.equal(refusals, 100);
  t.equal((others[429] ?? 0) + (others[503] ?? 0), 150);
  t.equal(state.checked, 101);
  throttled(t, await right(9_999), 30);
});

t.test('AUT-05 more device tokens than the row has room for reset no count', async (t) => {
  const app = await testApp(t, { env });
  const ada = await signedIn(app, ADA);
  const { guess, state } = guesser(app);
  const iat = Math.floor(app.clock.now / 1_000);
  const tokens = Array.from({ length: 44 }, (_, jti) =>
    app.context.ownTokens.issue('device', {
      sub: ada.id,
      jti: `device ${jti}`,
      iat,
      exp: iat + 3_600,
    }),
  );
  for (let turn = 0; turn < 6; turn += 1) {
    await Promise.all(
      tokens.map((device_token) => guess({ email: ADA, password: WRONG, device_token })),
    );
  }
  t.equal(state.checked, 44 * 5);
});

t.test('twenty sign-ins at once with the right password all succeed', async (t) => {
  const app = await testApp(t, { env: { ...env, MAX_SESSIONS: '30' } });
  const { device_token } = await app.signUp();
  const { right } = guesser(app);
  for (const more of [{}, { device_token }]) {
    const answers = await Promise.all(Array.from({ length: 20 }, () => right(1, more)));
    t.same(counted(answers), { 200: 20 });
  }
  t.same((await rowOf(app)).throttle, [], 'and none counts as a failure');
});

t.test('RAT-06 a restart resets no count', async (t) => {
  const url = `file:${folder(t)}/restart.db`;
  const clock = new TestClock();
  const first = await testApp(t, { env, clock, database: opened(t, url) });
  await signedIn(first, ADA);
  const { wrong } = guesser(first);
  for (let turn = 0; turn < 5; turn += 1) await wrong();
  await first.app.close();
  const { right, state } = guesser(await testApp(t, { env, clock, database: opened(t, url) }));
  throttled(t, await right(), 30);
  t.equal(state.checked, 0);
});

t.test(
  'AUT-06 500 prefixes get 107 guesses in an hour, and never lock the owner out',
  async (t) => {
    const app = await testApp(t, { env });
    const { device_token, access_token, refresh_token } = await signedIn(app, ADA);
    const { wrong, right, state } = guesser(app);
    const end = app.clock.now + HOUR;
    let prefix = 0;
    let owned = 0;
    let token = refresh_token;
    while (app.clock.now < end) {
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => {
          prefix = (prefix + 1) % 500;
          return wrong(prefix);
        }),
      );
      if (answers.every(({ statusCode }) => statusCode === 429)) {
        const wait = Math.min(...answers.map(({ headers }) => Number(headers['retry-after'])));
        owned += 1;
        t.equal((await right(9_999, { device_token })).statusCode, 200, 'the owner signs in');
        const refreshed = await app.refresh(token);
        t.equal(refreshed.statusCode, 200, 'and refreshes');
        token = refreshed.json().refresh_token;
        app.clock.advance(wait * 1_000);
      }
    }
    t.equal(state.checked - owned, 107);
    t.ok(owned > 5);
    t.ok(JSON.stringify((await rowOf(app)).throttle).length < 8_000, 'the row stays small');
    const fresh = (await right(9_999, { device_token })).json().access_token;
    t.equal((await app.as(fresh, { url: '/v1/whoami' })).statusCode, 200);
    t.equal(
      (await app.as(access_token, { url: '/v1/whoami' })).statusCode,
      401,
      'only because it has expired',
    );
  },
);

t.test('AUT-06 one prefix gets 12 guesses in an hour', async (t) => {
  const app = await testApp(t, { env });
  const { guess, state } = guesser(app);
  const end = app.clock.now + HOUR;
  while (app.clock.now < end) {
    const answer = await guess({ email: 'nobody@example.com', password: WRONG });
    if (answer.statusCode !== 401) {
      app.clock.advance(Number(answer.headers['retry-after']) * 1_000);
    }
  }
  t.equal(state.checked, 12);
});

t.test('AUT-08 an unknown address is throttled exactly like a known one', async (t) => {
  const app = await testApp(t, { env });
  await app.signUp();
  const { guess } = guesser(app);
  const seen = async (email: string, password: string) => {
    const { statusCode, headers, payload } = await guess({ email, password });
    return {
      statusCode,
      headers: { ...headers, date: '' },
      payload: payload.replace(/"instance":"[^"]*"/, ''),
    };
  };
  for (let turn = 0; turn < 12; turn += 1) {
    const known = await seen(ADA, turn > 5 ? PASSWORD : WRONG);
    t.same(await seen('nobody@example.com', WRONG), known, `guess ${turn}`);
    t.equal(known.statusCode, turn < 5 ? 401 : 429);
    app.clock.advance(1_000);
  }
});

t.test('a device token opens only the budget of its own account', async (t) => {
  const app = await testApp(t, { env });
  const { device_token: forged } = await signedIn(app, 'eve@example.com');
  const { refresh_token, access_token, device_token } = await signedIn(app, ADA);
  const { wrong, right } = guesser(app);
  for (let turn = 0; turn < 5; turn += 1) await wrong();
  const none = [forged, refresh_token, access_token, `${device_token.slice(0, -4)}AAAA`, 'x'];
  for (const token of none) throttled(t, await right(1, { device_token: token }), 30);
  t.equal((await right(1, { device_token })).statusCode, 200);
  const answer = await right(1, { device_token });
  t.equal(answer.statusCode, 200, 'and has failures of its own');
});

t.test('a stolen device token allows no more guesses than a place', async (t) => {
  const app = await testApp(t, { env });
  const { device_token } = await signedIn(app, ADA);
  const { guess, state, right } = guesser(app);
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, prefix) =>
      guess({ email: ADA, password: WRONG, device_token }, address(prefix)),
    ),
  );
  t.same(counted(answers), { 401: 5, 429: 195 });
  t.equal(state.checked, 5);
  t.equal((await right(9_999)).statusCode, 200, 'and it keeps nobody else out');
});

t.test(
  'RAT-04 the prefix of an address: IPv6 by /64, mapped IPv4 folded, headers ignored',
  async (t) => {
    const app = await testApp(t, { env });
    for (const [email, addresses, next] of [
      [
        'a@example.com',
        ['2001:db8:1:2::1', '2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:DB8:1:2:0:0:0:9'],
        '2001:db8:1:3::1',
      ],
      ['b@example.com', ['192.0.2.7', '::ffff:192.0.2.7', '::FFFF:c000:207'], '::ffff:192.0.2.8'],
    ] as const) {
      const guess = (remoteAddress: string, headers = {}) =>
        app.app.inject({
          method: 'POST',
          url: '/v1/login',
          payload: { email, password: WRONG },
          remoteAddress,
          headers,
        });
      for (let turn = 0; turn < 5; turn += 1) {
        t.equal((await guess(addresses[turn % 3] as string)).statusCode, 401);
      }
      for (const each of addresses) {
        t.equal((await guess(each)).statusCode, 429, each);
        for (const header of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'cf-connecting-ip']) {
          t.equal((await guess(each, { [header]: '203.0.113.9' })).statusCode, 429, header);
        }
      }
      t.equal((await guess(next)).statusCode, 401, 'a neighbouring address has its own count');
    }
  },
);

t.test('other spellings of an address count for the same account', async (t) => {
  const app = await testApp(t, { env });
  const { guess } = guesser(app);
  for (const known of [true, false]) {
    if (known) await app.signUp();
    const name = known ? 'ada' : 'nobody';
    const spellings = [
      name,
      name.toUpperCase(),
      ` ${name}`,
      name,
      `${name[0]?.toUpperCase()}${name.slice(1)}`,
    ];
    for (const spelling of spellings) {
      const answer = await guess({ email: `${spelling}@Example.com`, password: WRONG });
      t.equal(answer.statusCode, 401);
    }
    const answer = await guess({ email: `${name}@example.com`, password: WRONG });
    throttled(t, answer, 30);
  }
});

t.test(
  'MFA-08 AUT-05 the second factor allows five tries across all challenges, and has its own waits',
  async (t) => {
    const app = await testApp(t, { env });
    const { secret, recoveryCodes, code } = await withFactor(t, app, ADA);
    const { guess, right } = guesser(app);
    const challenge = async () => {
      const answer = await right();
      t.equal(answer.statusCode, 202, 'the password has its own count');
      return answer.json().mfa_token;
    };
    const prove = async (proof: object, prefix = 1) =>
      guess({ mfa_token: await challenge(), ...proof }, address(prefix), '/v1/login/mfa');
    const wrong = { code: wrongCode(secret, app.clock.now) };
    for (let turn = 0; turn < 5; turn += 1) refused(t, await prove(wrong), 401, 'invalid_code');
    throttled(t, await prove(wrong), 30);
    throttled(t, await prove({ code: codeAt(secret, app.clock.now) }), 30);
    const foreign = { recovery_code: 'AAAA-BBBB-CCCC-DDDD' };
    for (let turn = 0; turn < 5; turn += 1) refused(t, await prove(foreign), 401, 'invalid_code');
    throttled(t, await prove(foreign), 30);
    throttled(t, await prove({ recovery_code: recoveryCodes[0] }), 30);
    t.equal((await rowOf(app)).mfa.recovery?.hashes.length, 10, 'no recovery code was used up');
    t.equal(
      (await prove({ recovery_code: recoveryCodes[0] }, 2)).statusCode,
      200,
      'from another place',
    );
    throttled(t, await prove({ code: codeAt(secret, app.clock.now) }), 30);
    app.clock.advance(30_000);
    t.equal((await prove({ code: code() })).statusCode, 200);
  },
);

t.test(
  'MFA-08 500 prefixes with the right password get 100 tries, and wrong passwords reset none',
  async (t) => {
    const app = await testApp(t, { env });
    const { secret, tokens, code } = await withFactor(t, app, ADA);
    const { guess, right, wrong } = guesser(app);
    const first = (await right()).json().mfa_token;
    const wrongly = { code: wrongCode(secret, app.clock.now) };
    const tries = async (from: number, count: number) => {
      const answers: LightMyRequestResponse[] = [];
      let mfa_token = first;
      for (let turn = 0; turn < count; turn += 1) {
        if (turn % 5 === 0) mfa_token = (await right(from + turn)).json().mfa_token;
        const payload = { mfa_token, ...wrongly };
        answers.push(await guess(payload, address(from + turn), '/v1/login/mfa'));
      }
      return counted(answers);
    };
    t.same(await tries(0, 105), { 401: 100, 429: 5 });
    app.clock.advance(1_000);
    await Promise.all(Array.from({ length: 80 }, (_, prefix) => wrong(5_000 + prefix)));
    t.same(await tries(1_000, 5), { 429: 5 });
    const { device_token } = tokens;
    const owner = (await right(9_999, { device_token })).json().mfa_token;
    const done = await guess({ mfa_token: owner, code: code() }, address(9_999), '/v1/login/mfa');
    t.equal(done.statusCode, 200, 'the owner signs in on a known device');
  },
);

t.test(
  'PWD-08 AUT-07 password checks of a session count for that session, and do not block sign-ins',
  async (t) => {
    const app = await testApp(t, { env });
    const { access_token } = await signedIn(app, ADA);
    const { right, state } = guesser(app);
    const change = (current_password: string, token = access_token) =>
      app.as(token, {
        method: 'PUT',
        url: '/v1/me/password',
        payload: { current_password, new_password: 'a lantern in the rainy harbour' },
      });
    const before = (await rowOf(app)).password_hash;
    const answers = await Promise.all(Array.from({ length: 101 }, () => change(WRONG)));
    t.same(counted(answers), { 403: 5, 429: 96 });
    t.equal(state.checked, 5);
    throttled(t, await change(PASSWORD), 30);
    for (const [method, url, payload] of [
      ['PUT', '/v1/me/email', { email: 'eve@example.com', password: PASSWORD }],
      ['DELETE', '/v1/me', { password: PASSWORD }],
      ['POST', '/v1/me/mfa/totp', { password: PASSWORD }],
      ['DELETE', '/v1/me/mfa/totp', { password: PASSWORD, code: '123456' }],
      ['POST', '/v1/me/mfa/recovery-codes', { password: PASSWORD, code: '123456' }],
    ] as const) {
      throttled(t, await app.as(access_token, { method, url, payload }), 30);
    }
    t.equal((await rowOf(app)).password_hash, before);
    const other = await right();
    t.equal(other.statusCode, 200, 'a sign-in is not throttled');
    t.equal(
      (await change(PASSWORD, other.json().access_token)).statusCode,
      200,
      'as is its session',
    );
  },
);

t.test(
  'AUT-07 a throttled sign-in does not block the password checks of a session, nor the other way round',
  async (t) => {
    const app = await testApp(t, { env });
    const { access_token } = await signedIn(app, ADA);
    const { wrong, right } = guesser(app);
    await Promise.all(Array.from({ length: 120 }, (_, prefix) => wrong(prefix)));
    throttled(t, await right(7_777), 30);
    const answer = await app.as(access_token, {
      method: 'PUT',
      url: '/v1/me/password',
      payload: { current_password: PASSWORD, new_password: 'a lantern in the rainy harbour' },
    });
    t.equal(answer.statusCode, 200);
    throttled(t, await right(7_777), 30);
  },
);

t.test(
  'AUT-06 the owner of the mailbox can sign in again while the account is throttled',
  async (t) => {
    const box = await mailbox(t);
    const app = await testApp(t, { env: { ...env, MAIL_URL: box.url } });
    const { access_token, refresh_token } = await signedIn(app, ADA);
    const { wrong, right, guess } = guesser(app);
    await Promise.all(Array.from({ length: 120 }, (_, prefix) => wrong(prefix)));
    throttled(t, await right(7_777), 30);
    t.equal((await app.as(access_token, { url: '/v1/whoami' })).statusCode, 200);
    t.equal((await app.as(access_token, { url: '/v1/me' })).statusCode, 200);
    t.equal((await app.refresh(refresh_token)).statusCode, 200);
    t.equal((await guess({ email: ADA }, address(1), '/v1/password/forgot')).statusCode, 202);
    const token = await box.token(ADA);
    const password = 'a lantern in the rainy harbour';
    t.equal((await guess({ token, password }, address(1), '/v1/password/reset')).statusCode, 204);
    t.same((await rowOf(app)).throttle, []);
    t.equal(
      (await guess({ email: ADA, password })).statusCode,
      200,
      'from a place that was throttled',
    );
  },
);

t.test(
  'AUT-06 a queue full of strangers answers them 503, counts no failures, and lets the owner in',
  async (t) => {
    const app = await testApp(t, { env: { HASH_QUEUE: '2', HASH_CONCURRENCY: '1' } });
    const { device_token, access_token } = await app.signUp();
    await proveMailbox(app, ADA);
    const { guess, right } = guesser(app);
    const flood = Array.from({ length: 60 }, (_, turn) =>
      guess({ email: turn % 2 ? ADA : `x${turn}@example.com`, password: PASSWORD }, address(turn)),
    );
    const owner = right(9_999, { device_token });
    const signedIn = app.as(access_token, {
      method: 'POST',
      url: '/v1/me/mfa/totp',
      payload: { password: PASSWORD },
    });
    t.equal((await owner).statusCode, 200, 'on a known device');
    t.equal((await signedIn).statusCode, 201, 'and in a session');
    const answers = await Promise.all(flood);
    const { 200: inside = 0, 401: unknown = 0, 503: full = 0, ...others } = counted(answers);
    t.same(others, {});
    t.ok(full > 0);
    t.equal(inside + unknown + full, 60);
    const refusal = answers.find(({ statusCode }) => statusCode === 503) as LightMyRequestResponse;
    refused(t, refusal, 503, 'overloaded');
    t.equal(refusal.headers['retry-after'], '2');
    const events = app.events().filter((event) => event === 'sign_in.refused');
    t.equal(events.length, unknown, 'a refusal for lack of room is not logged as a guess');
    t.notOk(
      app.logs.some(({ level }) => Number(level) >= 50),
      'and is not logged as an error',
    );
    t.same((await rowOf(app)).throttle, []);
  },
);

t.test(
  'AUT-05 sixty other networks do not wash out the wait of the first before it has run out',
  async (t) => {
    const app = await testApp(t, { env });
    await signedIn(app, ADA, { password_hash: passwordHash(app) });
    const { wrong, right } = guesser(app);
    for (const email of [ADA, 'nobody@example.com']) {
      for (let turn = 0; turn < 5; turn += 1)
        refused(t, await wrong(1, email), 401, 'invalid_credentials');
      for (let prefix = 2; prefix < 62; prefix += 1)
        refused(t, await wrong(prefix, email), 401, 'invalid_credentials');
      throttled(t, await wrong(1, email), 30);
    }
    throttled(t, await right(1), 30);
    t.ok((await rowOf(app)).throttle.length <= 41, 'and the row stays small');
    t.equal((await right(62)).statusCode, 200, 'nor does a newcomer wait for them');
    app.clock.advance(30_000);
    t.equal((await right(1)).statusCode, 200, 'when its wait is over it is right again');
  },
);
