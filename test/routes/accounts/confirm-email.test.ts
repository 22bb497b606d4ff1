import t from 'tap';
import { mailbox } from '../../mailbox.ts';
import { refused } from '../../refused.ts';
import { PASSWORD, testApp } from '../../test-app.ts';

const box = await mailbox(t);
const { post, inject, as, refresh, signUp, login, context, events, clock } = await testApp(t, {
  env: { MAIL_URL: box.url },
});
const happened = () => events().filter((event) => !event.startsWith('mail.'));
const confirm = (token: string) => post('/v1/email/confirm', { token });
const move = (access: string, email: string, password = PASSWORD) =>
  as(access, { method: 'PUT', url: '/v1/me/email', payload: { email, password } });
const me = async (access: string) => (await as(access, { url: '/v1/me' })).json();

t.test('the link of a sign-up verifies the address, once, and ends no session', async (t) => {
  const email = 'ada@example.com';
  const { access_token, refresh_token } = await signUp(email);
  const other = (await login(email)).json();
  const token = await box.token(email);
  await box.settled();
  const mails = box.mails.length;
  const count = happened().length;
  t.equal((await confirm(token)).statusCode, 204);
  t.match(await me(access_token), { email, email_verified: true });
  t.equal((await refresh(refresh_token)).statusCode, 200);
  t.equal((await refresh(other.refresh_token)).statusCode, 200);
  refused(t, await confirm(token), 400, 'link_invalid');
  t.same(happened().slice(count), ['email.confirmed']);
  t.equal(await box.settled(), mails, 'the address did not change, so there is no mail');
});

t.test('EML-03 of twenty uses at once, one succeeds', async (t) => {
  const email = 'race@example.com';
  await signUp(email);
  const token = await box.token(email);
  const count = happened().length;
  clock.advance(5);
  const answers = await Promise.all(Array.from({ length: 20 }, () => confirm(token)));
  t.equal(answers.filter(({ statusCode }) => statusCode === 204).length, 1);
  for (const answer of answers.filter(({ statusCode }) => statusCode !== 204))
    refused(t, answer, 400, 'link_invalid');
  t.same(happened().slice(count), ['email.confirmed']);
});

t.test('EML-08 opening the link does not use it up, and verifies nothing', async (t) => {
  const email = 'looked@example.com';
  const { access_token } = await signUp(email);
  const token = await box.token(email);
  for (const method of ['GET', 'HEAD'] as const)
    t.equal((await inject({ method, url: `/v1/email/confirm?token=${token}` })).statusCode, 405);
  t.match(await me(access_token), { email_verified: false });
  t.equal((await confirm(token)).statusCode, 204);
});

t.test('the link works for 24 hours', async (t) => {
  const email = 'late@example.com';
  await signUp(email);
  const token = await box.token(email);
  clock.advance(86_400_000);
  const before = await context.users.findByEmail(email);
  refused(t, await confirm(token), 400, 'link_invalid');
  t.same(await context.users.findByEmail(email), before);
});

t.test(
  'the link puts the new address into use, and ends all sessions except the one that asked',
  async (t) => {
    const [old, email] = ['move@example.com', 'Moved@example.org'];
    const asking = await signUp(old);
    await box.next(old);
    const other = (await login(old)).json();
    t.equal((await move(asking.access_token, email)).statusCode, 202);
    const token = await box.token(email);
    t.equal((await box.next(old)).mail.subject, 'Your email address is about to change');
    t.equal((await login(old)).statusCode, 200, 'the old one still signs in');
    refused(t, await login(email), 401, 'invalid_credentials');

    const count = happened().length;
    t.equal((await confirm(token)).statusCode, 204);
    t.same(happened().slice(count), ['email.confirmed']);
    const told = await box.next(old);
    t.equal(told.mail.subject, 'Your email address was changed');
    t.match(await me(asking.access_token), { email, email_verified: true });
    t.equal((await refresh(asking.refresh_token)).statusCode, 200);
    refused(t, await refresh(other.refresh_token), 401, 'refresh_invalid');
    refused(t, await as(other.access_token, { url: '/v1/whoami' }), 401, 'token_revoked');
    refused(t, await login(old), 401, 'invalid_credentials');
    t.equal((await login(email)).statusCode, 200);
    refused(t, await confirm(token), 400, 'link_invalid');
    t.equal(await context.users.findByEmail(old), undefined, 'the old address is free');
  },
);

t.test('if the session that asked has ended meanwhile, every session ends', async (t) => {
  const old = 'ended@example.com';
  const asking = await signUp(old);
  const other = (await login(old)).json();
  await move(asking.access_token, 'ended@example.org');
  const token = await box.token('ended@example.org');
  await post('/v1/logout', { refresh_token: asking.refresh_token });
  t.equal((await confirm(token)).statusCode, 204);
  for (const { refresh_token } of [asking, other])
    refused(t, await refresh(refresh_token), 401, 'refresh_invalid');
});

t.test('of two pending changes, the first to be confirmed wins', async (t) => {
  const { access_token } = await signUp('fork@example.com');
  await move(access_token, 'fork1@example.org');
  await move(access_token, 'fork2@example.org');
  const [one, two] = [await box.token('fork1@example.org'), await box.token('fork2@example.org')];
  t.equal((await confirm(two)).statusCode, 204);
  refused(t, await confirm(one), 400, 'link_invalid');
  t.match(await me(access_token), { email: 'fork2@example.org' });
});

t.test(
  'signing everybody out also cancels the change of address that a stranger asked for',
  async (t) => {
    const shut = {
      'a reset': async (email: string) => {
        await post('/v1/password/forgot', { email });
        for (;;) {
          const { mail } = await box.next(email);
          const token = /reset-password#token=([\w.-]+)/.exec(mail.text ?? '')?.[1];
          if (token)
            return post('/v1/password/reset', { token, password: 'the owner is back at last' });
        }
      },
      'a change of the password': async (email: string) =>
        as((await login(email)).json().access_token, {
          method: 'PUT',
          url: '/v1/me/password',
          payload: { current_password: PASSWORD, new_password: 'the owner is back at last' },
        }),
      'signing out everywhere': async (email: string) =>
        as((await login(email)).json().access_token, { method: 'DELETE', url: '/v1/me/sessions' }),
    };
    for (const [index, [name, act]] of Object.entries(shut).entries()) {
      const [email, thief] = [`shut${index}@example.com`, `thief${index}@example.net`];
      const { access_token } = await signUp(email);
      t.equal((await confirm(await box.token(email))).statusCode, 204);
      t.equal((await move(access_token, thief)).statusCode, 202);
      const token = await box.token(thief);
      t.ok((await act(email)).statusCode < 300, name);
      refused(t, await confirm(token), 400, 'link_invalid');
      t.equal(await context.users.findByEmail(thief), undefined, name);
      t.ok(await context.users.findByEmail(email), name);
    }
  },
);

t.test('an address that somebody else has taken meanwhile stays with that account', async (t) => {
  const { access_token } = await signUp('slow@example.com');
  await move(access_token, 'wanted@example.com');
  const token = await box.token('wanted@example.com');
  await signUp('wanted@example.com');
  const before = await context.users.findByEmail('wanted@example.com');
  refused(t, await confirm(token), 400, 'link_invalid');
  t.same(await context.users.findByEmail('wanted@example.com'), before);
  t.match(await me(access_token), { email: 'slow@example.com' });
});

t.test('the link of a disabled or deleted account is invalid', async (t) => {
  const email = 'gone@example.com';
  const { access_token } = await signUp(email);
  const token = await box.token(email);
  const id = (await context.users.findByEmail(email))?.id as string;
  const set = (status: 'active' | 'disabled') =>
    context.users.change(id, (user) => ({ user: { ...user, status }, result: undefined }));
  await set('disabled');
  refused(t, await confirm(token), 400, 'link_invalid');
  await set('active');
  await as(access_token, { method: 'DELETE', url: '/v1/me', payload: { password: PASSWORD } });
  refused(t, await confirm(token), 400, 'link_invalid');
  const iat = Math.floor(clock.now / 1_000);
  const claims = { jti: 'x', email, sid: '', was: 'x', iat, exp: iat + 60 };
  const nobody = context.ownTokens.issue('email', { ...claims, sub: 'nobody' });
  refused(t, await confirm(nobody), 400, 'link_invalid');
  refused(t, await confirm('x'), 400, 'link_invalid');
});

t.test('a failing database is reported as unavailable', async (t) => {
  const other = await testApp(t, { env: { MAIL_URL: box.url }, clock });
  await other.signUp('fault@example.com');
  const token = await box.token('fault@example.com');
  await other.context.close();
  refused(t, await other.post('/v1/email/confirm', { token }), 503, 'unavailable');
});
