import t from 'tap';
import { mailbox } from '../../mailbox.ts';
import { admin, agedToken, audit, signedIn } from '../../people.ts';
import { refused } from '../../refused.ts';
import { PASSWORD, testApp } from '../../test-app.ts';

const box = await mailbox(t);
const app = await testApp(t, { env: { MAIL_URL: box.url } });
const { as, context, clock, login, post, logs } = app;
const root = await admin(app);
const invite = (payload: object, token = root.access_token) =>
  as(token, { method: 'POST', url: '/v1/users', payload });
const rowOf = (email: string) => context.users.findByEmail(email);

t.test('an invited user chooses the first password through the mailed link', async (t) => {
  const before = audit(app).length;
  const answer = await invite({ email: ' Grace@Example.com', name: 'Grace', roles: ['editor'] });
  t.equal(answer.statusCode, 201);
  const row = await rowOf('grace@example.com');
  const time = new Date(clock.now).toISOString();
  t.strictSame(
    answer.json(),
    {
      id: row?.id,
      email: 'Grace@Example.com',
      email_verified: false,
      name: 'Grace',
      roles: ['editor'],
      status: 'active',
      password: false,
      passkeys: 0,
      providers: [],
      mfa: false,
      sessions: 0,
      created_at: time,
      updated_at: time,
      last_login_at: null,
      claims: {},
    },
    'the administrator sees no link and no password',
  );
  t.match(row, { password_hash: null, sessions: [] });
  t.same(audit(app).slice(before), [
    { event: 'admin.user_invited', actor: root.id, user: row?.id, after: { roles: ['editor'] } },
  ]);

  const mail = await box.next();
  t.same(mail.recipients, ['Grace@example.com']);
  const token = /#token=(\S+)/.exec(mail.mail.text ?? '')?.[1] as string;
  t.notOk(JSON.stringify(logs).includes(token), 'the log does not contain the link');

  for (const password of ['', PASSWORD, 'null', 'undefined']) {
    const guess = await login('grace@example.com', password);
    t.not(guess.statusCode, 200, `"${password}" does not sign in before the link is used`);
  }
  const chosen = await post('/v1/password/reset', { token, password: PASSWORD });
  t.equal(chosen.statusCode, 204);
  t.equal((await login('grace@example.com')).statusCode, 200);
  t.match(await rowOf('grace@example.com'), { email_verified_at: clock.now, roles: ['editor'] });
  refused(
    t,
    await post('/v1/password/reset', { token, password: `${PASSWORD}!` }),
    400,
    'link_invalid',
  );
  t.equal((await login('grace@example.com')).statusCode, 200, 'the link works once');
});

t.test('the link of a disabled or deleted account sets no password', async (t) => {
  for (const [email, end] of [
    ['gone@example.com', { method: 'DELETE' }],
    ['off@example.com', { method: 'PATCH', payload: { status: 'disabled' } }],
  ] as const) {
    const { id } = (await invite({ email })).json();
    const token = await box.token(email);
    await as(root.access_token, { url: `/v1/users/${id}`, ...end });
    const answer = await post('/v1/password/reset', { token, password: PASSWORD });
    refused(t, answer, 400, 'link_invalid');
    t.equal((await context.users.findById(id))?.password_hash, null);
  }
});

t.test(
  'an address that is taken is refused in upper and lower case, and no mail is sent',
  async (t) => {
    await signedIn(app, 'second@example.com');
    const [mails, lines] = [await box.settled(), audit(app).length];
    const before = await rowOf('second@example.com');
    for (const email of ['second@example.com', 'SECOND@example.com']) {
      refused(t, await invite({ email, roles: ['x'] }), 409, 'email_taken');
    }
    t.same(await rowOf('second@example.com'), before);
    t.equal(await box.settled(), mails);
    t.equal(audit(app).length, lines);
  },
);

t.test(
  'of ten invitations of one address at once, one succeeds, and one mail is sent',
  async (t) => {
    const mails = await box.settled();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => invite({ email: 'race@example.com' })),
    );
    const statuses = answers.map(({ statusCode }) => statusCode).sort();
    t.same(statuses, [201, ...Array(9).fill(409)]);
    t.equal(await box.settled(), mails + 1);
  },
);

t.test('EML-12 an administrator can set only the address, the name and the roles', async (t) => {
  const [mails, lines] = [await box.settled(), audit(app).length];
  const email = 'mallory@example.com';
  const one = 'r'.repeat(32);
  for (const [body, path] of [
    [{}, '/email'],
    [{ email: 'none' }, '/email'],
    [{ email: 'a@example.com,b@example.com' }, '/email'],
    [{ email: 'a@example.com\r\nBcc: b@example.com' }, '/email'],
    [{ email, password: '' }, '/password'],
    [{ email, password_hash: 'x' }, '/password_hash'],
    [{ email, email_verified: true }, '/email_verified'],
    [{ email, id: root.id }, '/id'],
    [{ email, kind: 'service' }, '/kind'],
    [{ email, status: 'disabled' }, '/status'],
    [{ email, token_version: 1 }, '/token_version'],
    [{ email, name: '' }, '/name'],
    [{ email, name: 'a\nb' }, '/name'],
    [{ email, name: null }, '/name'],
    [{ email, roles: 'admin' }, '/roles'],
    [{ email, roles: ['Admin'] }, '/roles/0'],
    [{ email, roles: [''] }, '/roles/0'],
    [{ email, roles: ['a b'] }, '/roles/0'],
    [{ email, roles: ['a,b'] }, '/roles/0'],
    [{ email, roles: ['admin"'] }, '/roles/0'],
    [{ email, roles: ['a%'] }, '/roles/0'],
    [{ email, roles: [`${one}r`] }, '/roles/0'],
    [{ email, roles: ['a', 'a'] }, '/roles'],
    [{ email, roles: Array.from({ length: 17 }, (_, index) => `r${index}`) }, '/roles'],
    [
      { email, roles: Array.from({ length: 7 }, (_, index) => `${index}${one}`.slice(0, 32)) },
      '/roles/0',
    ],
    [{ email, roles: 'abcdefg'.split('').map((name) => `${name}${one}`.slice(0, 32)) }, '/roles'],
  ] as const) {
    const answer = await invite(body);
    const { errors } = refused(t, answer, 422, 'invalid_input');
    t.equal(errors?.[0]?.path, path, JSON.stringify(body));
  }
  t.equal(await rowOf(email), undefined);
  t.equal(await box.settled(), mails);
  t.equal(audit(app).length, lines);
});

t.test(
  'inviting an administrator needs a recent sign-in or the password of the caller',
  async (t) => {
    const email = 'second-root@example.com';
    const aged = await agedToken(app, root.id);
    const asAdmin = (password?: string) =>
      invite({ email, roles: ['editor', 'admin'], password }, aged);
    refused(t, await asAdmin(), 401, 'step_up_required');
    refused(t, await asAdmin('not the password at all'), 403, 'wrong_password');
    t.equal(await rowOf(email), undefined);
    const other = invite({ email: 'plain@example.com', password: 'meant for Grace, perhaps' });
    refused(t, await other, 403, 'wrong_password');
    t.equal(await rowOf('plain@example.com'), undefined, 'it is never taken for the new password');
    t.equal((await asAdmin(PASSWORD)).statusCode, 201);
    t.match(await rowOf(email), { roles: ['editor', 'admin'], password_hash: null });
  },
);

t.test('a user with as many roles as allowed can sign in', async (t) => {
  const roles = 'abcdef'.split('').map((name) => name.repeat(32));
  const { id } = (await invite({ email: 'many@example.com', roles })).json();
  const token = await box.token('many@example.com');
  await post('/v1/password/reset', { token, password: PASSWORD });
  const { access_token } = (await login('many@example.com')).json();
  t.same((await as(access_token, { url: '/v1/whoami' })).json().roles, roles);
  t.equal((await context.users.findById(id))?.sessions.length, 1);
});

t.test('the link works for a day and no longer; then the user asks for another', async (t) => {
  await invite({ email: 'late@example.com' });
  const token = await box.token('late@example.com');
  await invite({ email: 'slow@example.com' });
  const slow = await box.token('slow@example.com');
  clock.advance(86_400_000 - 1_000);
  t.equal((await post('/v1/password/reset', { token, password: PASSWORD })).statusCode, 204);
  clock.advance(1_000);
  const tooLate = await post('/v1/password/reset', { token: slow, password: PASSWORD });
  refused(t, tooLate, 400, 'link_invalid');
  t.equal((await rowOf('slow@example.com'))?.password_hash, null);
  await post('/v1/password/forgot', { email: 'slow@example.com' });
  const another = await box.token('slow@example.com');
  const done = await post('/v1/password/reset', { token: another, password: PASSWORD });
  t.equal(done.statusCode, 204);
});
