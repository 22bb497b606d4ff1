import t from 'tap';
import { withFactor, wrongCode } from '../../authenticator.ts';
import { agedToken, serviceAccount, serviceAccountToken } from '../../people.ts';
import { refused } from '../../refused.ts';
import { PASSWORD, testApp } from '../../test-app.ts';

const app = await testApp(t);
const { as, context, clock, signUp } = app;
const url = '/v1/me/verify';
const verify = (token: string, payload: object) => as(token, { method: 'POST', url, payload });

t.test('the password proves again who the user is, in the same session', async (t) => {
  const tokens = await signUp('ada@example.com');
  const { sub } = context.accessTokens.read(tokens.access_token);
  clock.advance(600_000);
  const answer = await verify(tokens.access_token, { password: PASSWORD });
  t.equal(answer.headers['cache-control'], 'no-store');
  const { access_token, ...rest } = answer.json();
  t.same(rest, { token_type: 'Bearer', expires_in: 900 });
  const claims = context.accessTokens.read(access_token);
  t.match(claims, { sub, sid: tokens.session_id, amr: ['pwd'], auth_time: clock.now / 1_000 });
  t.ok(context.accessTokens.read(tokens.access_token), 'the token before stays valid');
  clock.advance(60_000);
  const refreshed = (await app.refresh(tokens.refresh_token)).json();
  const later = context.accessTokens.read(refreshed.access_token);
  t.equal(later.auth_time, claims.auth_time, 'a refresh keeps the time of the proof');
  t.equal(later.sid, claims.sid);
});

t.test('so does a code of the second factor, which says so in amr', async (t) => {
  const { tokens, recoveryCodes, code: nextCode } = await withFactor(t, app, 'bo@example.com');
  const { access_token } = tokens;
  const code = nextCode();
  const first = await verify(access_token, { code });
  t.same(context.accessTokens.read(first.json().access_token).amr, ['pwd', 'otp', 'mfa']);
  refused(t, await verify(access_token, { code }), 403, 'wrong_code');
  const second = await verify(access_token, { recovery_code: recoveryCodes[0] });
  t.equal(second.statusCode, 200);
  refused(t, await verify(access_token, { recovery_code: recoveryCodes[0] }), 403, 'wrong_code');
});

t.test('with a second factor the password is no step-up: it would buy a passkey', async (t) => {
  const { tokens, code } = await withFactor(t, app, 'eve@example.com');
  const { access_token } = tokens;
  const { sub } = context.accessTokens.read(access_token);
  const aged = await agedToken(app, sub);
  const before = await context.users.findById(sub);
  for (const password of [PASSWORD, `${PASSWORD}!`])
    refused(t, await verify(aged, { password }), 401, 'second_factor_required');
  t.same(await context.users.findById(sub), before, 'no guess is counted');
  const options = { method: 'POST', url: '/v1/me/passkeys/options', payload: {} } as const;
  refused(t, await as(aged, options), 401, 'step_up_required');
  const { access_token: fresh } = (await verify(aged, { code: code() })).json();
  t.equal((await as(fresh, options)).statusCode, 200);
});

t.test('wrong proofs are counted, and change nothing', async (t) => {
  const { tokens, secret } = await withFactor(t, app, 'cy@example.com');
  const { access_token } = tokens;
  const { sub } = context.accessTokens.read(access_token);
  const { sessions } = (await context.users.findById(sub)) ?? {};
  const wrong = wrongCode(secret, clock.now);
  for (let turn = 0; turn < 5; turn += 1)
    refused(t, await verify(access_token, { code: wrong }), 403, 'wrong_code');
  refused(t, await verify(access_token, { code: wrong }), 429, 'throttled');
  t.same((await context.users.findById(sub))?.sessions, sessions);
  const plain = await signUp('dee@example.com');
  for (let turn = 0; turn < 5; turn += 1)
    refused(
      t,
      await verify(plain.access_token, { password: `${PASSWORD}!` }),
      403,
      'wrong_password',
    );
  refused(t, await verify(plain.access_token, { password: PASSWORD }), 429, 'throttled');
});

t.test('exactly one proof, of a person who has it', async (t) => {
  const { access_token } = await signUp('di@example.com');
  for (const body of [{}, { password: PASSWORD, code: '123456' }, { code: 1 }, { otp: '1' }])
    refused(t, await verify(access_token, body), 422, 'invalid_input');
  refused(t, await verify(access_token, { code: '123456' }), 409, 'mfa_not_enabled');
  const machine = await serviceAccountToken(app, await serviceAccount(app, []));
  refused(t, await verify(machine, { password: 'x' }), 403, 'forbidden');
  await as(access_token, { method: 'DELETE', url: '/v1/me/sessions' });
  refused(t, await verify(access_token, { password: PASSWORD }), 401, 'token_revoked');
});

t.test('with the new token, what was refused succeeds', async (t) => {
  const { access_token } = await signUp('root@example.com');
  const { sub } = context.accessTokens.read(access_token);
  await context.users.change(sub, (user) => ({ user: { ...user, roles: ['admin'] }, result: 1 }));
  const aged = await agedToken(app, sub);
  const create = (token: string) =>
    as(token, { method: 'POST', url: '/v1/service-accounts', payload: { name: 'nightly' } });
  refused(t, await create(aged), 401, 'step_up_required');
  const { access_token: fresh } = (await verify(aged, { password: PASSWORD })).json();
  t.equal((await create(fresh)).statusCode, 201);
});
