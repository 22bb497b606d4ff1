import { dictionary } from '@zxcvbn-ts/language-common';
import t from 'tap';
import type { User } from '../../src/schemas/user.ts';
import { mailbox } from '../mailbox.ts';
import { refused } from '../refused.ts';
import { PASSWORD, testApp } from '../test-app.ts';

const ADA = 'ada@example.com';
const box = await mailbox(t);
const app = await testApp(t, { env: { MAIL_URL: box.url, LOG_LEVEL: 'trace' }, pace: 'real' });
const { post, as, signUp, context, logs } = app;
const rowOf = async (email: string) => (await context.users.findByEmail(email)) as User;

t.test('AUT-11 a new service has no accounts, and default credentials do not work', async (t) => {
  t.same(await context.users.list({ kind: 'person', limit: 10 }), []);
  t.same(await context.users.list({ kind: 'service', limit: 10 }), []);
  for (const name of ['admin', 'root', 'test', 'administrator']) {
    for (const password of [name, 'admin', 'password', 'latchkey']) {
      const answer = await post('/v1/login', { email: `${name}@example.com`, password });
      refused(t, answer, 401, 'invalid_credentials');
    }
  }
});

t.test('PWD-03 the most common passwords of sufficient length are weak', async (t) => {
  const common = dictionary['passwords-common'] as string[];
  // Every tenth of those with the shortest permitted length or more, and each of those with 15 characters.
  const some = common.slice(0, 3_000).filter(({ length }) => length >= 8);
  const long = common.filter(({ length }) => length >= 15);
  for (const password of [...some.filter((_, index) => index % 10 === 0), ...long]) {
    if (await context.passwordStrength.isStrong(password, [])) t.fail(password);
  }
});

t.test(
  'PWD-03 every route that sets a password refuses a common one, and changes nothing',
  async (t) => {
    const { access_token } = await signUp();
    await box.token(ADA);
    await post('/v1/password/forgot', { email: ADA });
    const token = await box.token(ADA);
    const before = await rowOf(ADA);
    for (const password of ['passwordpassword', 'ada@example.com', 'Latchkey-Latchkey']) {
      const change = { current_password: PASSWORD, new_password: password };
      for (const [answer, path] of [
        [await post('/v1/register', { email: 'eve@example.com', password }), '/password'],
        [await post('/v1/password/reset', { token, password }), '/password'],
        [
          await as(access_token, { method: 'PUT', url: '/v1/me/password', payload: change }),
          '/new_password',
        ],
      ] as const) {
        const { errors } = refused(t, answer, 422, 'invalid_input');
        t.match(errors, [{ path, message: /easy to guess/ }], `${password}: a reason is given`);
      }
    }
    t.equal((await rowOf(ADA)).password_hash, before.password_hash);
    t.equal(await context.users.findByEmail('eve@example.com'), undefined);
  },
);

t.test(
  'PWD-05 ill-formed text is refused as a password, and does not match its replacement',
  async (t) => {
    const broken = 'a lantern \ud800 in the harbour';
    const replaced = broken.replace('\ud800', '\ufffd');
    const email = 'carl@example.com';
    for (const password of [broken, '\udfff'.repeat(20)]) {
      refused(t, await post('/v1/register', { email, password }), 422, 'invalid_input');
    }
    const answer = await post('/v1/register', { email, password: replaced });
    t.equal(answer.statusCode, 201);
    refused(t, await post('/v1/login', { email, password: broken }), 422, 'invalid_input');
    t.equal((await post('/v1/login', { email, password: replaced })).statusCode, 200);
  },
);

t.test('AUT-12 every sign-in, right or wrong, logs an event with its address', async (t) => {
  const count = logs.length;
  await app.login(ADA);
  await app.login(ADA, 'not the password at all');
  await app.login('nobody@example.com');
  for (let guess = 0; guess < 5; guess += 1) await app.login(ADA, 'not the password at all');
  const seen = logs.slice(count).filter(({ event }) => /^sign_in/.test(String(event)));
  const { id } = await rowOf(ADA);
  t.match(seen, [
    { event: 'sign_in.ok', ip: '127.0.0.1', user: id },
    { event: 'sign_in.refused', ip: '127.0.0.1', user: id },
    { event: 'sign_in.refused', ip: '127.0.0.1', user: undefined },
    ...Array.from({ length: 4 }, () => ({ event: 'sign_in.refused', user: id })),
    { event: 'sign_in.throttled', ip: '127.0.0.1', user: id },
  ]);
  const lines = logs.slice(count).filter(({ msg }) => msg === 'request');
  t.match(
    lines.map(({ user }) => user),
    [undefined, id, undefined, id, id, id, id, id],
    'and so does the line of the request',
  );
});

t.test('PWD-10 PWD-06 no log, answer, mail or column contains a password', async (t) => {
  const canary = 'a canary in the lamp room 4711';
  const next = 'the canary has flown away 4712';
  const email = 'dora@example.com';
  const made = await post('/v1/register', { email, password: canary });
  const { access_token } = made.json();
  const change = { current_password: canary, new_password: next };
  const answers = [
    made,
    await post('/v1/login', { email, password: canary }),
    await post('/v1/login', { email, password: `${canary}!` }),
    await post('/v1/login', { email, password: canary, extra: canary }),
    await post('/v1/login', { email: canary, password: canary }),
    await post('/v1/password/reset', { token: canary, password: canary }),
    await as(access_token, { method: 'PUT', url: '/v1/me/password', payload: change }),
  ];
  await box.settled();
  const words = /lamp room|flown away/;
  for (const { payload, headers } of answers) t.notMatch(payload + JSON.stringify(headers), words);
  t.notMatch(JSON.stringify(logs), words);
  for (const { raw } of box.mails) t.notMatch(raw, words);
  t.notMatch(JSON.stringify(await rowOf(email)), words);
  t.match((await rowOf(email)).password_hash, /^\$argon2id\$v=19\$(?=.*m=19456)(?=.*t=2)(?=.*p=1)/);
});
