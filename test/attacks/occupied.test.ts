import t, { type Test } from 'tap';
import { codeAt } from '../authenticator.ts';
import { mailbox } from '../mailbox.ts';
import { add, offered, SoftAuthenticator } from '../passkeys.ts';
import { refused } from '../refused.ts';
import { PASSWORD, type Tokens, testApp } from '../test-app.ts';

// A stranger makes an account with the address of somebody else, before that person does.

const NEXT = 'a lantern in the rainy harbour';
const box = await mailbox(t);
const app = await testApp(t, { env: { MAIL_URL: box.url, SIGN_UP: 'open' } });
const { as, clock, context, login, post, refresh, signUp } = app;

const rowOf = (email: string) => context.users.findByEmail(email);
const enrol = ({ access_token }: Pick<Tokens, 'access_token'>) =>
  as(access_token, { method: 'POST', url: '/v1/me/mfa/totp', payload: { password: PASSWORD } });

/** Turns the second factor on, and returns its secret. */
async function enrolled(tokens: Tokens): Promise<string> {
  const { secret } = (await enrol(tokens)).json<{ secret: string }>();
  const payload = { code: codeAt(secret, clock.now) };
  const url = '/v1/me/mfa/totp/confirm';
  const { statusCode } = await as(tokens.access_token, { method: 'POST', url, payload });
  t.equal(statusCode, 200, 'the second factor is on');
  return secret;
}

/** The tokens of the links in the letter about a new account. */
async function letterTo(email: string) {
  const { text = '' } = (await box.next(email)).mail;
  const tokenFor = (page: string) => new RegExp(`/${page}#token=([\\w.-]+)`).exec(text)?.[1] ?? '';
  return { text, confirm: tokenFor('confirm-email'), notMe: tokenFor('not-me') };
}

async function resetBy(email: string) {
  await post('/v1/password/forgot', { email });
  const token = await box.token(email);
  return post('/v1/password/reset', { token, password: NEXT });
}

const confirm = (token: string, device_token?: string) =>
  post('/v1/email/confirm', { token, ...(device_token && { device_token }) });

async function assertGone(t: Test, stranger: Tokens, email: string) {
  refused(t, await refresh(stranger.refresh_token), 401, 'refresh_invalid');
  refused(t, await as(stranger.access_token, { url: '/v1/me' }), 401, 'token_revoked');
  refused(t, await login(email), 401, 'invalid_credentials');
}

t.test('no factor is added before the address is confirmed', async (t) => {
  const email = 'early@example.com';
  const stranger = await signUp(email);
  const before = await rowOf(email);
  const wrong = { password: `${PASSWORD}!` };
  const url = '/v1/me/mfa/totp';
  const guess = await as(stranger.access_token, { method: 'POST', url, payload: wrong });
  refused(t, guess, 403, 'wrong_password');
  const { detail } = refused(t, await enrol(stranger), 403, 'email_unverified');
  t.match(detail, 'Confirm the email address');
  t.same((await rowOf(email))?.mfa, before?.mfa);

  const pending = { secret: 'sealed', last_step: 0 };
  await context.users.change(before?.id ?? '', (user) => ({
    user: { ...user, mfa: { ...user.mfa, pending } },
    result: undefined,
  }));
  const begun = { method: 'POST', url: `${url}/confirm`, payload: { code: '123456' } } as const;
  refused(t, await as(stranger.access_token, begun), 403, 'email_unverified');

  const asks = { method: 'POST', url: '/v1/me/passkeys/options', payload: {} } as const;
  refused(t, await as(stranger.access_token, asks), 403, 'email_unverified');
  const provenAt = (email_verified_at: number | null) =>
    context.users.change(before?.id ?? '', (user) => ({
      user: { ...user, email_verified_at },
      result: undefined,
    }));
  await provenAt(clock.now);
  const options = await offered(app, stranger.access_token);
  await provenAt(null);
  const passkey = new SoftAuthenticator().create(options);
  refused(t, await add(app, stranger.access_token, passkey), 403, 'email_unverified');
  t.same((await rowOf(email))?.passkeys, []);

  t.equal((await confirm((await letterTo(email)).confirm)).statusCode, 204);
  t.equal((await enrol(stranger)).statusCode, 201, 'and works after it');
});

t.test('the signed-in user gets the letter again', async (t) => {
  const email = 'again@example.com';
  const user = await signUp(email);
  await letterTo(email);
  const payload = { email, password: PASSWORD };
  const answer = await as(user.access_token, { method: 'PUT', url: '/v1/me/email', payload });
  t.equal(answer.statusCode, 202);
  const { text, confirm: token, notMe } = await letterTo(email);
  t.match(text, 'was made with this email address on 23 November 2026 at 18:00 UTC, with an app.');
  t.ok(notMe);
  t.equal((await confirm(token)).statusCode, 204);
  t.equal((await enrol(user)).statusCode, 201);
});

t.test('v confirms, resets, and is asked for no code of the stranger', async (t) => {
  const email = 'v@example.com';
  const stranger = await signUp(email);
  // In v's own browser, which has no token of the account.
  t.equal((await confirm((await letterTo(email)).confirm)).statusCode, 204);
  const secret = await enrolled(stranger);
  const challenge = (await login(email)).json<{ mfa_token: string }>();
  clock.advance(30_000);

  t.equal((await resetBy(email)).statusCode, 204);
  const code = codeAt(secret, clock.now);
  const answer = await post('/v1/login/mfa', { mfa_token: challenge.mfa_token, code });
  refused(t, answer, 401, 'challenge_invalid');
  await assertGone(t, stranger, email);
  const owner = await login(email, NEXT);
  t.equal(owner.statusCode, 200, 'v signs in with the password alone');

  // The stranger's device is no known one: its guesses count as a stranger's.
  const { device_token } = stranger;
  const guess = { email, password: NEXT, device_token };
  const issued = (await post('/v1/login', guess)).json<Tokens>().device_token;
  const idOf = (token: string) => context.ownTokens.read('device', token)?.jti;
  t.not(idOf(issued), idOf(device_token));
});

t.test('v resets at once: the address is confirmed, and the stranger is out', async (t) => {
  const email = 'direct@example.com';
  const stranger = await signUp(email);
  const { confirm: token } = await letterTo(email);
  clock.advance(1_000);
  t.equal((await resetBy(email)).statusCode, 204);
  await assertGone(t, stranger, email);
  t.match(await rowOf(email), { email_verified_at: clock.now, claimed_at: clock.now });
  refused(t, await confirm(token), 400, 'link_invalid');
});

t.test('a user who confirms on a device of the account keeps the factor in a reset', async (t) => {
  const email = 'own@example.com';
  const user = await signUp(email);
  t.equal((await confirm((await letterTo(email)).confirm, user.device_token)).statusCode, 204);
  t.equal((await rowOf(email))?.claimed_at, null);
  await enrolled(user);
  clock.advance(30_000);
  t.equal((await resetBy(email)).statusCode, 204);
  t.equal((await login(email, NEXT)).statusCode, 202, 'a code is still asked for');
});

t.test('the cookie of the device is as good, and another account’s device is nobody', async (t) => {
  const [email, other] = ['cookie@example.com', 'other@example.com'];
  const user = await signUp(email);
  const foreign = await signUp(other);
  const headers = { cookie: `__Secure-latchkey_device=${user.device_token}` };
  const { confirm: token } = await letterTo(email);
  t.equal((await post('/v1/email/confirm', { token }, headers)).statusCode, 204);
  t.equal((await rowOf(email))?.claimed_at, null);
  t.equal(foreign.token_type, 'Bearer');
  t.equal((await confirm((await letterTo(other)).confirm, user.device_token)).statusCode, 204);
  t.equal((await rowOf(other))?.claimed_at, 0);
});

t.test('nor may an account that nobody had confirmed before this version', async (t) => {
  const email = 'older@example.com';
  await signUp(email);
  const { id = '' } = (await rowOf(email)) ?? {};
  // An import, or a node of the version before.
  await context.users.change(id, (user) => ({ user: { ...user, claimed_at: null }, result: 1 }));
  t.equal((await confirm((await letterTo(email)).confirm)).statusCode, 204);
  t.equal((await rowOf(email))?.claimed_at, 0, 'opening the link does not tell who made it');
});

t.test('an account that moves to v’s address is no trap either', async (t) => {
  const [own, email] = ['stranger@example.com', 'moved@example.com'];
  const stranger = await signUp(own);
  await confirm((await letterTo(own)).confirm, stranger.device_token);
  await enrolled(stranger);
  const payload = { email, password: PASSWORD };
  await as(stranger.access_token, { method: 'PUT', url: '/v1/me/email', payload });
  const letter = await box.next(email);
  t.match(letter.mail.text, 'give your address to the account of someone else');
  t.notMatch(letter.mail.text, '/not-me');
  const token = /#token=([\w.-]+)/.exec(letter.mail.text ?? '')?.[1] ?? '';
  t.equal((await confirm(token)).statusCode, 204);
  clock.advance(30_000);
  t.equal((await resetBy(email)).statusCode, 204);
  t.equal((await login(email, NEXT)).statusCode, 200);
});

t.test('a stranger cannot write into the letter', async (t) => {
  const email = 'phished@example.com';
  const payload = { email, password: PASSWORD, name: 'Win at https://evil.example' };
  const headers = { 'user-agent': 'Visit https://evil.example now' };
  t.equal((await post('/v1/register', payload, headers)).statusCode, 201);
  const { text } = await letterTo(email);
  t.notMatch(text, 'evil');
  t.match(text, 'with an app.');
});

t.test('"this was not me" deletes the account, whatever the stranger did meanwhile', async (t) => {
  const email = 'disowned@example.com';
  const stranger = await signUp(email);
  const { notMe, confirm: token } = await letterTo(email);
  // A new token version makes the other link invalid.
  const change = { current_password: PASSWORD, new_password: NEXT };
  const url = '/v1/me/password';
  const kept = await as(stranger.access_token, { method: 'PUT', url, payload: change });
  const next = kept.json<Tokens>();
  // Mail scanners open links.
  for (const method of ['GET', 'HEAD'] as const)
    t.equal((await app.inject({ method, url: '/not-me' })).statusCode, 200);
  t.equal((await app.inject({ method: 'GET', url: '/v1/email/not-me' })).statusCode, 405);
  t.ok(await rowOf(email));

  clock.advance(29 * 86_400_000);
  const disown = () => post('/v1/email/not-me', { token: notMe });
  t.equal((await disown()).statusCode, 204);
  t.equal(await rowOf(email), undefined);
  for (const { refresh_token } of [stranger, next])
    refused(t, await refresh(refresh_token), 401, 'refresh_invalid');
  refused(t, await login(email, NEXT), 401, 'invalid_credentials');
  refused(t, await disown(), 400, 'link_invalid');
  refused(t, await confirm(token), 400, 'link_invalid');
  const again = await signUp(email);
  t.ok(again.access_token, 'the address is free');
  refused(t, await disown(), 400, 'link_invalid');
  t.ok(await rowOf(email), 'the old link does not delete the new account');
});

t.test('"this was not me" spares what is not a stranger’s', async (t) => {
  const email = 'spared@example.com';
  const { access_token } = await signUp(email);
  const { notMe, confirm: token } = await letterTo(email);
  const disown = (token: string) => post('/v1/email/not-me', { token });
  const user = await rowOf(email);
  const change = (changes: object) =>
    context.users.change(user?.id ?? '', (before) => ({
      user: { ...before, ...changes },
      result: undefined,
    }));
  for (const changes of [
    { status: 'disabled' },
    { status: 'active', email_key: 'elsewhere@example.com' },
  ]) {
    await change(changes);
    refused(t, await disown(notMe), 400, 'link_invalid');
  }
  await change({ email_key: email, roles: ['admin'] });
  refused(t, await disown(notMe), 409, 'last_admin');
  await change({ roles: [] });
  for (const bad of ['x', token, access_token]) refused(t, await disown(bad), 400, 'link_invalid');
  const iat = Math.floor(clock.now / 1_000);
  const nobody = { sub: 'nobody', email, jti: 'x', iat, exp: iat + 60 };
  const forged = context.ownTokens.issue('not-me', nobody);
  refused(t, await disown(forged), 400, 'link_invalid');
  t.equal((await confirm(token)).statusCode, 204);
  refused(t, await disown(notMe), 400, 'link_invalid');
  t.ok(await rowOf(email));
});
