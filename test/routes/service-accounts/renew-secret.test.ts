import t from 'tap';
import {
  admin,
  agedToken,
  audit,
  basic,
  form,
  serviceAccount,
  serviceAccountToken,
  signedIn,
} from '../../people.ts';
import { refused } from '../../refused.ts';
import { PASSWORD, testApp } from '../../test-app.ts';

const app = await testApp(t);
const { as, context, logs } = app;
const root = await admin(app);
const renew = (id: string, password = PASSWORD) =>
  as(root.access_token, {
    method: 'POST',
    url: `/v1/service-accounts/${id}/secret`,
    payload: { password },
  });
const works = async (id: string, secret: string) => {
  const answer = await form(
    app,
    '/oauth/token',
    { grant_type: 'client_credentials' },
    basic({ id, secret }),
  );
  return answer.statusCode === 200;
};

t.test('two secrets work at a time, and a third one ends the first', async (t) => {
  const { id, secret: first } = await serviceAccount(app, ['reader']);
  const token = await serviceAccountToken(app, { id, secret: first });
  const lines = audit(app).length;
  const answer = await renew(id);
  t.equal(answer.statusCode, 201);
  const { client_secret: second, ...rest } = answer.json();
  t.match(rest, { client_id: id, name: 'deploy', roles: ['reader'] });
  t.match(second, /^[\w-]{43}$/);
  t.same(audit(app).slice(lines), [
    { event: 'admin.service_account_secret_made', actor: root.id, user: id },
  ]);
  t.same([await works(id, first), await works(id, second)], [true, true]);
  const third = (await renew(id)).json().client_secret;
  t.same(
    [await works(id, first), await works(id, second), await works(id, third)],
    [false, true, true],
  );
  const fourth = (await renew(id)).json().client_secret;
  t.same(
    [await works(id, second), await works(id, third), await works(id, fourth)],
    [false, true, true],
  );
  t.equal(
    (await as(token, { url: '/v1/whoami' })).statusCode,
    200,
    'tokens stay valid until they expire',
  );
  const kept = JSON.stringify([await context.users.findById(id), logs]);
  for (const secret of [first, second, third, fourth]) t.notOk(kept.includes(secret));
});

t.test('two secrets that are created at once both work', async (t) => {
  const { id, secret } = await serviceAccount(app);
  const answers = await Promise.all([renew(id), renew(id)]);
  const [one, two] = answers.map((answer) => answer.json().client_secret);
  t.same(
    [await works(id, one), await works(id, two), await works(id, secret)],
    [true, true, false],
  );
});

t.test('a user and a deleted service account get no secret', async (t) => {
  const eve = await signedIn(app, 'eve@example.com');
  const gone = await serviceAccount(app);
  await as(root.access_token, { method: 'DELETE', url: `/v1/service-accounts/${gone.id}` });
  const lines = audit(app).length;
  const before = await context.users.findById(eve.id);
  for (const id of [eve.id, root.id, gone.id, '0', '%00']) {
    refused(t, await renew(id), 404, 'not_found');
  }
  t.same(await context.users.findById(eve.id), before);
  t.match(await context.users.findById(gone.id), { status: 'deleted', secret_hashes: null });
  t.equal(audit(app).length, lines);
});

t.test('a new secret needs a recent sign-in or the password of the caller', async (t) => {
  const { id, secret } = await serviceAccount(app);
  const before = await context.users.findById(id);
  refused(t, await renew(id, 'not the password at all'), 403, 'wrong_password');
  const none = { method: 'POST', url: `/v1/service-accounts/${id}/secret`, payload: {} } as const;
  refused(t, await as(await agedToken(app, root.id), none), 401, 'step_up_required');
  t.same(await context.users.findById(id), before);
  t.equal(await works(id, secret), true);
  t.equal((await as(root.access_token, none)).statusCode, 201);
});
