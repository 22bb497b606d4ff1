import t from 'tap';
import { codeAt, wrongCode } from '../../../authenticator.ts';
import { factor, signedIn } from '../../../people.ts';
import { refused } from '../../../refused.ts';
import { PASSWORD, testApp } from '../../../test-app.ts';

const app = await testApp(t);
const { as, login, clock, context } = app;
const confirm = (token: string, code: string) =>
  as(token, { method: 'POST', url: '/v1/me/mfa/totp/confirm', payload: { code } });

t.test(
  'a wrong code turns nothing on, and a right one after it turns the second factor on',
  async (t) => {
    const { access_token } = await signedIn(app, 'ada@example.com');
    const begin = {
      method: 'POST',
      url: '/v1/me/mfa/totp',
      payload: { password: PASSWORD },
    } as const;
    const { secret } = (await as(access_token, begin)).json();
    refused(t, await confirm(access_token, wrongCode(secret, clock.now)), 403, 'wrong_code');
    t.equal((await login()).statusCode, 200, 'the password alone still signs in');
    const answer = await confirm(access_token, codeAt(secret, clock.now));
    t.equal(answer.statusCode, 200);
    t.equal(answer.json().recovery_codes.length, 10);
    t.equal((await login()).statusCode, 202);
    refused(t, await confirm(access_token, codeAt(secret, clock.now)), 409, 'mfa_enabled');
  },
);

t.test('without an enrolment there is nothing to confirm', async (t) => {
  const { access_token, id } = await signedIn(app, 'eve@example.com');
  const { code } = factor(app, { id });
  const before = await context.users.findById(id);
  refused(t, await confirm(access_token, code()), 409, 'mfa_not_enabled');
  t.same(await context.users.findById(id), before);
});

t.test(
  'of many wrong codes at once, five are checked, and then the secret is dropped',
  async (t) => {
    const user = await signedIn(app, 'mallory@example.com');
    const begin = async () =>
      (
        await as(user.access_token, {
          method: 'POST',
          url: '/v1/me/mfa/totp',
          payload: { password: PASSWORD },
        })
      ).json<{ secret: string }>().secret;
    const secret = await begin();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => confirm(user.access_token, wrongCode(secret, clock.now))),
    );
    const codes = answers.map((answer) => answer.json().code);
    t.equal(codes.filter((code) => code === 'wrong_code').length, 5);
    t.equal(codes.filter((code) => code === 'mfa_not_enabled').length, 15);
    const right = await confirm(user.access_token, codeAt(secret, clock.now));
    const { detail } = refused(t, right, 409, 'mfa_not_enabled');
    t.match(detail, /Begin again with POST \/v1\/me\/mfa\/totp/);
    const next = await begin();
    t.equal((await confirm(user.access_token, codeAt(next, clock.now))).statusCode, 200);
  },
);
