import { decodeJwt } from 'jose';
import t from 'tap';
import { withFactor } from '../../../authenticator.ts';
import {
  enrolled,
  requested,
  SoftAuthenticator,
  signInWith,
  withPasskey,
} from '../../../passkeys.ts';
import { signedIn } from '../../../people.ts';
import { refused } from '../../../refused.ts';
import { PASSWORD, type TestApp, testApp } from '../../../test-app.ts';

/** Ada with an authenticator app and a passkey. */
async function guarded(t: Parameters<typeof testApp>[0], app: TestApp) {
  const { tokens } = await withFactor(t, app, 'ada@example.com', { email_verified_at: 1 });
  return { tokens, passkey: await enrolled(app, tokens.access_token) };
}

t.test('a passkey is the second factor after the password', async (t) => {
  const app = await testApp(t);
  const { passkey } = await guarded(t, app);
  const { mfa_token, methods } = (await app.login()).json();
  t.same(methods, ['passkey', 'totp', 'recovery_code']);
  const given = passkey.get(await requested(app));
  const answer = await app.post('/v1/login/mfa', { mfa_token, passkey: given });
  t.equal(answer.statusCode, 200);
  t.same(decodeJwt(answer.json().access_token)['amr'], ['pwd', 'hwk', 'user', 'mfa']);

  const { mfa_token: next } = (await app.login()).json();
  const again = await app.post('/v1/login/mfa', { mfa_token: next, passkey: given });
  refused(t, again, 401, 'invalid_code');
  refused(t, await signInWith(app, given), 401, 'passkey_refused');
});

t.test('a passkey of another user is no second factor', async (t) => {
  const app = await testApp(t);
  const { tokens } = await guarded(t, app);
  const bob = await withPasskey(app, 'bob@example.com');
  const { sub = '' } = decodeJwt(tokens.access_token);
  for (const user of [bob.id, sub]) {
    const { mfa_token } = (await app.login()).json();
    const given = bob.passkey.get(await requested(app), { user });
    const answer = await app.post('/v1/login/mfa', { mfa_token, passkey: given });
    refused(t, answer, 401, 'invalid_code');
  }
});

t.test('a challenge allows five wrong passkeys', async (t) => {
  const app = await testApp(t);
  const { passkey } = await guarded(t, app);
  const { mfa_token } = (await app.login()).json();
  const prove = async (origin?: string) =>
    app.post('/v1/login/mfa', {
      mfa_token,
      passkey: passkey.get(await requested(app), { ...(origin && { origin }) }),
    });
  for (let count = 0; count < 5; count += 1)
    refused(t, await prove('https://evil.example.com'), 401, 'invalid_code');
  refused(t, await prove(), 401, 'challenge_invalid');
});

t.test('the second factor is one of a code, a recovery code and a passkey', async (t) => {
  const app = await testApp(t);
  const passkey = new SoftAuthenticator().get({ challenge: 'x' }, { user: 'x' });
  const answer = await app.post('/v1/login/mfa', { mfa_token: 'x', passkey, code: '000000' });
  refused(t, answer, 422, 'invalid_input');
  refused(t, await app.post('/v1/login/mfa', { mfa_token: 'x' }), 422, 'invalid_input');
});

t.test('a copied passkey is reported as second factor and as step-up too', async (t) => {
  const app = await testApp(t);
  const { tokens, passkey } = await guarded(t, app);
  const given = async (counter: number) => passkey.get(await requested(app), { counter });
  await signInWith(app, await given(7));
  const { mfa_token } = (await app.login()).json();
  const second = await app.post('/v1/login/mfa', { mfa_token, passkey: await given(6) });
  refused(t, second, 403, 'passkey_copied');
  const step = { method: 'POST', url: '/v1/me/verify', payload: { passkey: await given(6) } };
  refused(t, await app.as(tokens.access_token, step as never), 403, 'passkey_copied');
  const told = app.events().filter((name) => name === 'passkey.copied' || name === 'mfa.refused');
  t.same(told, ['passkey.copied', 'passkey.copied']);
});

t.test('a passkey steps up, without any other second factor', async (t) => {
  const app = await testApp(t);
  const ada = await withPasskey(app, 'ada@example.com');
  const verify = async (passkey: object) =>
    app.as(ada.access_token, { method: 'POST', url: '/v1/me/verify', payload: { passkey } });
  app.clock.advance(600_000);
  const given = ada.passkey.get(await requested(app, 'ada@example.com'));
  const answer = await verify(given);
  t.equal(answer.statusCode, 200);
  t.match(decodeJwt(answer.json().access_token), {
    sid: ada.session_id,
    auth_time: app.clock.now / 1_000,
    amr: ['pwd', 'hwk', 'user', 'mfa'],
  });
  refused(t, await verify(given), 403, 'wrong_code');
  const bob = await withPasskey(app, 'bob@example.com');
  refused(t, await verify(bob.passkey.get(await requested(app))), 403, 'wrong_code');
});

t.test('a user without a passkey cannot step up with one', async (t) => {
  const app = await testApp(t);
  const ada = await signedIn(app, 'ada@example.com');
  const bob = await withPasskey(app, 'bob@example.com');
  const passkey = bob.passkey.get(await requested(app));
  const request = { method: 'POST', url: '/v1/me/verify', payload: { passkey } } as const;
  refused(t, await app.as(ada.access_token, request), 409, 'mfa_not_enabled');
  t.equal(
    (await app.login('bob@example.com', PASSWORD)).statusCode,
    200,
    'no second factor is asked',
  );
});
