import t from 'tap';
import { newUserId } from '../../../src/parts/ids.ts';
import { newPerson } from '../../../src/rules/accounts.ts';
import { mailbox } from '../../mailbox.ts';
import { admin, audit, factor, serviceAccount, signedIn } from '../../people.ts';
import { refused } from '../../refused.ts';
import { testApp } from '../../test-app.ts';

const box = await mailbox(t);
const app = await testApp(t, { env: { MAIL_URL: box.url } });
const { as, context, clock, login, post, refresh } = app;
const root = await admin(app);
const password_hash = await context.passwords.hash('correct horse battery staple');
const reset = (id: string, token = root.access_token) =>
  as(token, { method: 'DELETE', url: `/v1/users/${id}/mfa` });

async function withFactor(email: string, roles: string[] = []) {
  const person = newPerson(
    { id: newUserId(clock.now), email, name: null, passwordHash: password_hash },
    clock.now,
  );
  const { mfa, code } = factor(app, person);
  return { ...(await signedIn(app, email, { id: person.id, password_hash, mfa, roles })), code };
}

t.test(
  'after a reset the password alone signs in, and all earlier sessions have ended',
  async (t) => {
    const eve = await withFactor('eve@example.com');
    const { mfa_token } = (await login('eve@example.com')).json();
    t.ok(mfa_token);
    t.match((await as(root.access_token, { url: `/v1/users/${eve.id}` })).json(), { mfa: true });
    const answer = await reset(eve.id);
    t.equal(answer.statusCode, 204);
    t.equal(answer.payload, '');
    t.match((await as(root.access_token, { url: `/v1/users/${eve.id}` })).json(), {
      mfa: false,
      sessions: 0,
    });
    refused(t, await as(eve.access_token, { url: '/v1/whoami' }), 401, 'token_revoked');
    refused(t, await refresh(eve.refresh_token), 401, 'refresh_invalid');
    const late = await post('/v1/login/mfa', { mfa_token, code: eve.code() });
    refused(t, late, 401, 'challenge_invalid');
    t.equal((await login('eve@example.com')).statusCode, 200);
    t.same(audit(app), [{ event: 'admin.mfa_reset', actor: root.id, user: eve.id }]);
    const { recipients, mail } = await box.next();
    t.same(recipients, ['eve@example.com']);
    t.equal(mail.subject, 'Second factor turned off');
  },
);

t.test(
  'administrators can remove their own second factor only with the password and a code',
  async (t) => {
    const lines = audit(app).length;
    const self = await withFactor('self@example.com', ['admin']);
    const before = await context.users.findById(self.id);
    refused(t, await reset(self.id, self.access_token), 403, 'forbidden');
    t.same(await context.users.findById(self.id), before);
    t.equal((await login('self@example.com')).statusCode, 202);
    t.equal(audit(app).length, lines);
    t.equal(await box.settled(), 1, 'no further mail is sent');
    t.equal((await reset(self.id)).statusCode, 204, 'another administrator can');
  },
);

t.test('a service account, a deleted user and an unknown ID get 404', async (t) => {
  const [mails, lines] = [await box.settled(), audit(app).length];
  const gone = await signedIn(app, 'gone@example.com', { email: null, status: 'deleted' });
  for (const id of [
    (await serviceAccount(app)).id,
    gone.id,
    '01990d6e-7c3f-7a51-9c6b-0c1d2e3f4a5b',
  ]) {
    refused(t, await reset(id), 404, 'not_found');
  }
  t.equal(await box.settled(), mails);
  t.equal(audit(app).length, lines);
});
