import t from 'tap';
import { withFactor, wrongCode } from '../../../authenticator.ts';
import { butForCounts } from '../../../people.ts';
import { refused } from '../../../refused.ts';
import { PASSWORD, testApp } from '../../../test-app.ts';

const app = await testApp(t);
const { as, signUp, clock, context } = app;
const email = 'ada@example.com';
const row = () => context.users.findByEmail(email);
const renew = (token: string, payload: object) =>
  as(token, { method: 'POST', url: '/v1/me/mfa/recovery-codes', payload });

t.test('without a second factor there are no recovery codes', async (t) => {
  const { access_token } = await signUp('eve@example.com');
  const proof = { password: PASSWORD, code: '123456' };
  refused(t, await renew(access_token, proof), 409, 'mfa_not_enabled');
});

t.test(
  'MFA-08 AUT-07 after five wrong codes a session must wait, even with a right code',
  async (t) => {
    const ada = await withFactor(t, app, email);
    const token = ada.tokens.access_token;
    const before = await row();
    const wrong = { password: PASSWORD, code: wrongCode(ada.secret, clock.now) };
    for (let turn = 0; turn < 5; turn += 1)
      refused(t, await renew(token, wrong), 403, 'wrong_code');
    const right = { password: PASSWORD, code: ada.code() };
    clock.advance(-1_000);
    const late = refused(t, await renew(token, right), 429, 'throttled');
    t.ok(late);
    t.same(butForCounts(await row()), butForCounts(before));
    clock.advance(30_000);
    const answer = await renew(token, { password: PASSWORD, code: ada.code() });
    t.equal(answer.statusCode, 200);
    t.equal(new Set([...answer.json().recovery_codes, ...ada.recoveryCodes]).size, 20);
  },
);
