import t from 'tap';
import { refused } from '../../refused.ts';
import { PASSWORD, testApp } from '../../test-app.ts';

const { post, as, context, events } = await testApp(t, { pace: 'real' });
const rowOf = (email: string) => context.users.findByEmail(email);

t.test('a new user gets an account and is signed in', async (t) => {
  const answer = await post('/v1/register', {
    email: ' Ada@Example.com ',
    password: PASSWORD,
    name: 'Ada Lovelace',
  });
  t.equal(answer.statusCode, 201);
  t.equal(answer.headers['cache-control'], 'no-store');
  t.equal(answer.headers['set-cookie'], undefined, 'the body transport sets no cookie');
  const tokens = answer.json();
  const me = await as(tokens.access_token, { url: '/v1/me' });
  t.match(me.json(), { email: 'Ada@Example.com', name: 'Ada Lovelace', email_verified: false });
  t.match(me.json().last_login_at, /Z$/);
  const row = await rowOf('ada@example.com');
  t.match(row?.password_hash, /^\$argon2id\$v=19\$m=19456,p=1,t=2\$/);
  t.match(row, { roles: [], kind: 'person', status: 'active' });
  const stored = JSON.stringify(row);
  for (const secret of [tokens.refresh_token, tokens.access_token, tokens.device_token, PASSWORD])
    t.notOk(stored.includes(secret), 'the row does not contain it');
  t.equal(events()[0], 'account.created');
});

t.test(
  'an address with an account is taken in every spelling, and its row does not change',
  async (t) => {
    const before = await rowOf('ada@example.com');
    for (const email of ['ada@example.com', ' ADA@EXAMPLE.COM', 'ａda@example.com']) {
      refused(t, await post('/v1/register', { email, password: PASSWORD }), 409, 'email_taken');
    }
    t.same(await rowOf('ada@example.com'), before);
  },
);

t.test('of two sign-ups with one address at once, one succeeds', async (t) => {
  const answers = await Promise.all(
    [1, 2, 3].map(() => post('/v1/register', { email: 'twin@example.com', password: PASSWORD })),
  );
  t.same(answers.map(({ statusCode }) => statusCode).sort(), [201, 409, 409]);
  t.equal((await rowOf('twin@example.com'))?.sessions.length, 1);
});

t.test('with the cookie transport, the body has no refresh or device token', async (t) => {
  const email = 'cookie@example.com';
  const answer = await post('/v1/register', { email, password: PASSWORD, transport: 'cookie' });
  t.equal(answer.statusCode, 201);
  t.hasStrict(answer.json(), { token_type: 'Bearer', expires_in: 900 });
  t.notOk('refresh_token' in answer.json());
  t.notOk('device_token' in answer.json());
  t.equal(answer.cookies.length, 2);
});

t.test('AUT-09 invalid input is reported with its path, and makes no account', async (t) => {
  const email = 'new@example.com';
  const at = async (payload: object, path: string) => {
    const answer = await post('/v1/register', payload);
    const { errors } = refused(t, answer, 422, 'invalid_input');
    t.same(
      errors?.map((fault) => fault.path),
      [path],
    );
  };
  await at({ email, password: PASSWORD, roles: ['admin'] }, '/roles');
  await at({ email, password: PASSWORD, id: 'x' }, '/id');
  await at({ password: PASSWORD }, '/email');
  await at({ email, password: null }, '/password');
  await at({ email, password: [PASSWORD] }, '/password');
  await at({ email: { toString: 1 }, password: PASSWORD }, '/email');
  for (const bad of [
    '',
    'new',
    'new@',
    '@example.com',
    'new@localhost',
    'a@b@example.com',
    'new@example.com,eve@example.com',
    'new@example.com\r\nBcc: eve@example.com',
    'new@example..com',
    'new@-example.com',
    `${'a'.repeat(65)}@example.com`,
    'n\u202eew@example.com',
  ]) {
    await at({ email: bad, password: PASSWORD }, '/email');
  }
  await at(
    { email: `a@${`${'b'.repeat(60)}.`.repeat(4)}example.museum`, password: PASSWORD },
    '/email',
  );
  for (const name of ['', '   ', 'Ada\nAdmin', 'Ada\u2028Admin', 'Ada\u001b[2J', 'a'.repeat(101)]) {
    await at({ email, password: PASSWORD, name }, '/name');
  }
  await at({ email, password: PASSWORD, name: '\ud800' }, '/name');
  await at({ email, password: PASSWORD, transport: 'header' }, '/transport');
  await at({ email, password: 'a'.repeat(1025) }, '/password');
  await at({ email, password: `${PASSWORD}\ud800` }, '/password');
  t.equal(await rowOf(email), undefined);
});

t.test('PWD-01 passwords are counted in characters, not in bytes or code units', async (t) => {
  const decomposed = 'e\u0301'.repeat(14);
  const short = 'velvet tractor'.slice(0, 14);
  for (const password of [short, '👍'.repeat(14), decomposed, `${short} `.repeat(9)]) {
    const answer = await post('/v1/register', { email: 'new@example.com', password });
    const { errors } = refused(t, answer, 422, 'invalid_input');
    t.match(errors, [{ path: '/password', message: /15 to 128/ }]);
  }
  t.equal(await rowOf('new@example.com'), undefined);
  const strange = '👍🚜🪟🧶🥁🪐🌵🦆🧊🎻🛶🪁🦑🧲🪵';
  const long = 'plum tractor ninety velvet '.repeat(5).slice(0, 127);
  for (const [index, password] of [strange, ' qzvkwjxmplhd  ', `${long}!`].entries()) {
    const email = `length${index}@example.com`;
    t.equal((await post('/v1/register', { email, password })).statusCode, 201);
    t.equal((await post('/v1/login', { email, password })).statusCode, 200);
    t.equal((await post('/v1/login', { email, password: password.slice(2) })).statusCode, 401);
  }
});

t.test('with sign-up verified or closed, a password makes no account', async (t) => {
  for (const [SIGN_UP, code] of [
    ['verified', 'email_verification_required'],
    ['closed', 'sign_up_closed'],
  ] as const) {
    const { post, context, events } = await testApp(t, { env: { SIGN_UP } });
    const answer = await post('/v1/register', { email: 'ada@example.com', password: PASSWORD });
    refused(t, answer, 403, code);
    t.equal(await context.users.findByEmail('ada@example.com'), undefined);
    t.same(events(), []);
  }
});
