import t from 'tap';
import { mailbox } from '../../mailbox.ts';
import { admin, audit, serviceAccount, signedIn } from '../../people.ts';
import { refused } from '../../refused.ts';
import { testApp } from '../../test-app.ts';

const box = await mailbox(t);
const app = await testApp(t, { env: { MAIL_URL: box.url } });
const { as, context, refresh } = app;
const root = await admin(app);
const remove = (id: string) => as(root.access_token, { method: 'DELETE', url: `/v1/users/${id}` });

t.test('AZN-06 DAT-04 a deleted user loses everything at once, and gets a mail', async (t) => {
  const eve = await signedIn(app, 'eve@example.com', { name: 'Eve', roles: ['reader'] });
  const answer = await remove(eve.id);
  t.equal(answer.statusCode, 204);
  t.equal(answer.payload, '');
  refused(t, await as(eve.access_token, { url: '/v1/whoami' }), 401, 'token_revoked');
  refused(t, await refresh(eve.refresh_token), 401, 'refresh_invalid');
  const row = await context.users.findById(eve.id);
  t.match(row, { status: 'deleted', email: null, email_key: null, name: null, roles: [] });
  t.notOk(JSON.stringify(row).match(/eve/i), 'the row has no personal data');
  t.same(audit(app), [{ event: 'admin.user_deleted', actor: root.id, user: eve.id }]);
  t.notOk(app.events().includes('account.deleted'), 'one event, one line');
  const { recipients, mail } = await box.next();
  t.same(recipients, ['eve@example.com']);
  t.equal(mail.subject, 'Your account was deleted');
});

t.test(
  'a second deletion, a service account and an unknown ID get 404, and no mail is sent',
  async (t) => {
    const [mails, lines] = [await box.settled(), audit(app).length];
    const client = await serviceAccount(app);
    const gone = await signedIn(app, 'gone@example.com', { email: null, status: 'deleted' });
    for (const id of [client.id, gone.id, '01990d6e-7c3f-7a51-9c6b-0c1d2e3f4a5b']) {
      refused(t, await remove(id), 404, 'not_found');
    }
    t.match(await context.users.findById(client.id), { status: 'active' });
    t.equal(await box.settled(), mails);
    t.equal(audit(app).length, lines);
  },
);

t.test('of ten deletions of one user at once, one succeeds', async (t) => {
  const lines = audit(app).length;
  const { id } = await signedIn(app, 'race@example.com');
  const answers = await Promise.all(Array.from({ length: 10 }, () => remove(id)));
  const statuses = answers.map(({ statusCode }) => statusCode).sort();
  t.same(statuses, [204, ...Array(9).fill(404)]);
  t.equal(audit(app).length, lines + 1);
});

t.test('the address is free again, for a different user', async (t) => {
  const payload = { email: 'eve@example.com' };
  const again = await as(root.access_token, { method: 'POST', url: '/v1/users', payload });
  t.equal(again.statusCode, 201);
  t.match(again.json(), { name: null, roles: [] });
});
