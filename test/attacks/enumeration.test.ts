import { decodeJwt } from 'jose';
import t, { type Test } from 'tap';
import { newUserId } from '../../src/parts/ids.ts';
import { newPerson, withoutPersonalData } from '../../src/rules/accounts.ts';
import type { User } from '../../src/schemas/user.ts';
import { withFactor, wrongCode } from '../authenticator.ts';
import { compareTimes } from '../bench/enumeration.ts';
import { folder } from '../databases.ts';
import { mailbox } from '../mailbox.ts';
import { basic, serviceAccount } from '../people.ts';
import { PASSWORD, type TestApp, TestClock, testApp } from '../test-app.ts';

/** What a stranger sees of an answer, without the parts that differ from request to request. */
const shown = ({ statusCode, headers, payload }: Awaited<ReturnType<TestApp['inject']>>) => {
  // The ID of the request changes the length.
  const { date: _date, 'content-length': _length, ...others } = headers;
  const body = payload.replace(/"instance":"[^"]*"/, '"instance":""');
  return JSON.stringify({ statusCode, headers: others, body });
};

function alike(t: Test, answers: Record<string, string>, status: number) {
  const [[first, expected], ...others] = Object.entries(answers) as [
    [string, string],
    ...[string, string][],
  ];
  t.equal(JSON.parse(expected).statusCode, status, first);
  for (const [kind, answer] of others) t.equal(answer, expected, `${first} / ${kind}`);
}

const box = await mailbox(t);
const app = await testApp(t, { env: { MAIL_URL: box.url }, pace: 'real' });
const { post, context, as, clock } = app;

/** Accounts in every state, and addresses without an account. */
const addresses: Record<string, string> = {};
t.before(async () => {
  const password_hash = await context.passwords.hash(PASSWORD);
  const states: Record<string, Partial<User>> = {
    known: { email_verified_at: clock.now },
    unverified: {},
    disabled: { status: 'disabled' },
    invited: { password_hash: null },
    damaged: { password_hash: '$argon2id$v=19$damaged' },
    'with an imported hash': { password_hash: `$2b$04$${'a'.repeat(53)}` },
  };
  for (const [state, changes] of Object.entries(states)) {
    addresses[state] = `${state.replaceAll(' ', '-')}@example.com`;
    const person = newPerson(
      {
        id: newUserId(clock.now),
        email: addresses[state],
        name: null,
        passwordHash: password_hash,
      },
      clock.now,
    );
    await context.users.insert({ ...person, ...changes });
  }
  addresses['unknown'] = 'unknown@example.com';
  addresses['deleted'] = 'deleted@example.com';
  const gone = newPerson(
    { id: newUserId(clock.now), email: addresses['deleted'], name: null, passwordHash: 'x' },
    clock.now,
  );
  await context.users.insert(gone);
  await context.users.change(gone.id, (user) => ({
    user: withoutPersonalData(user, clock.now),
    result: true,
  }));
});

/** Sends the same request for every address. */
async function each(ask: (email: string) => ReturnType<TestApp['inject']>) {
  const answers: Record<string, string> = {};
  for (const [state, email] of Object.entries(addresses)) answers[state] = shown(await ask(email));
  return answers;
}

t.test(
  'AUT-01 AUT-08 a failed sign-in looks the same for every account, also while it is throttled',
  async (t) => {
    const wrong = (email: string) =>
      post('/v1/login', { email, password: 'not the password at all' });
    for (let turn = 0; turn < 5; turn += 1) alike(t, await each(wrong), 401);
    alike(t, await each(wrong), 429);
    const right = (email: string) => post('/v1/login', { email, password: PASSWORD });
    alike(t, await each(right), 429);
    clock.advance(1_000);
    alike(t, await each(right), 429);
    clock.advance(3_600_000 * 25);
  },
);

t.test(
  'AUT-01 three nodes, restarted in between, count guesses at any address as one',
  async (t) => {
    const file = folder(t);
    const clock = new TestClock();
    const start = () => testApp(t, { env: { DATABASE_URL: `file:${file}/nodes.db` }, clock });
    const nodes = await Promise.all([start(), start(), start()]);
    const [first] = nodes as [TestApp, ...TestApp[]];
    const password_hash = await first.context.passwords.hash(PASSWORD);
    const seen = new Map<string, number>();
    for (let trial = 0; trial < 200; trial += 1) {
      const isKnown = trial % 2 === 0;
      const email = `${isKnown ? 'known' : 'nobody'}${trial}@example.com`;
      const id = newUserId(clock.now);
      const user = newPerson({ id, email, name: null, passwordHash: password_hash }, clock.now);
      if (isKnown) await first.context.users.insert(user);
      if (trial % 20 === 10) nodes[trial % 3] = await start();
      const answers: string[] = [];
      for (let guess = 0; guess < 7; guess += 1) {
        const node = nodes[Math.floor(Math.random() * nodes.length)] as TestApp;
        answers.push(shown(await node.login(email, 'not the password at all')));
      }
      const all = answers.join('\n');
      seen.set(all, (seen.get(all) ?? 0) + 1);
    }
    t.same([...seen.values()], [200], 'known and unknown addresses get the same seven answers');
    const [answers = ''] = seen.keys();
    const statuses = answers.split('\n').map((answer) => JSON.parse(answer).statusCode);
    t.same(statuses, [401, 401, 401, 401, 401, 429, 429]);
  },
);

t.test(
  'AUT-01 EML-01 a code by mail looks the same for every account, and so do guesses at it',
  async (t) => {
    const tokens: Record<string, string> = {};
    const ask = async (email: string) => {
      const answer = await post('/v1/login/code', { email });
      const { code_token, ...body } = answer.json();
      tokens[email] = code_token;
      // The claims are readable: they have the address that was sent, and what differs from request to request.
      const { sub, jti, ...claims } = decodeJwt(code_token);
      t.equal(sub, email);
      const length = code_token.length - Buffer.from(code_token.split('.')[1]).length;
      return { ...answer, payload: JSON.stringify({ ...body, claims, length }) };
    };
    alike(t, await each(ask as never), 202);
    const guess = (email: string) =>
      post('/v1/login/code/verify', { code_token: tokens[email], code: '00000000' });
    for (let turn = 0; turn < 5; turn += 1) alike(t, await each(guess), 401);
    alike(t, await each(guess), 429);
    clock.advance(1_000);
    alike(t, await each(guess), 429);
    // The next guess is a failure again, and doubles the wait.
    clock.advance(29_000);
    alike(t, await each(guess), 401);
    clock.advance(59_000);
    alike(t, await each(guess), 429);
    clock.advance(600_000);
    alike(t, await each(guess), 401);
    await box.settled();
    clock.advance(3_600_000 * 25);
  },
);

t.test('AUT-01 invalid input is refused before an account is looked up', async (t) => {
  for (const password of ['', 'x'.repeat(1_025), '\ud800'.repeat(20)]) {
    alike(t, await each((email) => post('/v1/login', { email, password })), 422);
  }
  alike(t, await each((email) => post('/v1/login', { email })), 422);
  const long = 'x'.repeat(1_024);
  alike(t, await each((email) => post('/v1/login', { email, password: long })), 401);
});

t.test(
  'EML-01 AUT-03 forgot-password and register give every address the same answer',
  async (t) => {
    alike(t, await each((email) => post('/v1/password/forgot', { email })), 202);
    alike(t, await each((email) => post('/v1/register', { email })), 202);
    await box.settled();
  },
);

t.test('a change of address gives every address the same answer', async (t) => {
  const { access_token } = await app.signUp('mover@example.com');
  const ask = (email: string) =>
    as(access_token, {
      method: 'PUT',
      url: '/v1/me/email',
      payload: { email, password: PASSWORD },
    });
  alike(t, await each(ask), 202);
  await box.settled();
});

t.test('the second step of a sign-in does not say why it failed', async (t) => {
  const { secret, recoveryCodes } = await withFactor(t, app, 'factor@example.com');
  const challenge = async () =>
    (await app.login('factor@example.com')).json<{ mfa_token: string }>().mfa_token;
  const prove = async (proof: object) =>
    shown(await post('/v1/login/mfa', { mfa_token: await challenge(), ...proof }));
  const answers = {
    'wrong code': await prove({ code: wrongCode(secret, clock.now) }),
    'a recovery code of nobody': await prove({ recovery_code: 'AAAA-BBBB-CCCC-DDDD' }),
    'a used recovery code': await (async () => {
      const proof = { recovery_code: recoveryCodes[0] };
      await prove(proof);
      return prove(proof);
    })(),
  };
  alike(t, answers, 401);
  const spent = await challenge();
  await post('/v1/login/mfa', { mfa_token: spent, recovery_code: recoveryCodes[1] });
  const expired = await challenge();
  const bad = async (mfa_token: string) =>
    shown(await post('/v1/login/mfa', { mfa_token, code: '123456' }));
  const first = { spent: await bad(spent), none: await bad('x'), broken: await bad(`${expired}A`) };
  clock.advance(300_000);
  alike(t, { ...first, expired: await bad(expired) }, 401);
});

t.test('/oauth/token gives unknown, wrong and disabled clients the same answer', async (t) => {
  const client = await serviceAccount(app);
  const disabled = await serviceAccount(app);
  await context.users.change(disabled.id, (user) => ({
    user: { ...user, status: 'disabled' },
    result: true,
  }));
  const known = (await context.users.findByEmail('known@example.com')) as User;
  const ask = async (id: string, secret: string) =>
    shown(
      await app.inject({
        method: 'POST',
        url: '/oauth/token',
        headers: {
          ...basic({ id, secret }),
          'content-type': 'application/x-www-form-urlencoded',
        },
        payload: 'grant_type=client_credentials',
      }),
    );
  alike(
    t,
    {
      unknown: await ask('01936f00-0000-7000-8000-000000000000', client.secret),
      'no id at all': await ask('x', client.secret),
      'wrong secret': await ask(client.id, 'x'.repeat(43)),
      'over-long secret': await ask(client.id, 'x'.repeat(4_000)),
      'empty secret': await ask(client.id, ''),
      disabled: await ask(disabled.id, disabled.secret),
      "a person's id": await ask(known.id, PASSWORD),
    },
    401,
  );
});

t.test(
  'AUT-01 AUT-02 EML-01 no kind of account is recognised by the time of its answers',
  async (t) => {
    for (const { route, kinds, auc } of await compareTimes(10, `file:${folder(t)}/times.db`)) {
      t.ok(auc > 0.05 && auc < 0.95, `${route}, ${kinds}: area under the curve ${auc.toFixed(2)}`);
    }
  },
);
