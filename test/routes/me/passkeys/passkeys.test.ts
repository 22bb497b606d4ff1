import t from 'tap';
import type { User } from '../../../../src/schemas/user.ts';
import {
  add,
  enrolled,
  type Forgery,
  offered,
  requested,
  SoftAuthenticator,
  SYNCED,
  signInWith,
  VERIFIED,
  withPasskey,
} from '../../../passkeys.ts';
import { agedToken, signedIn } from '../../../people.ts';
import { refused } from '../../../refused.ts';
import { type TestApp, testApp } from '../../../test-app.ts';

const ada = (app: TestApp, changes: Partial<User> = {}) =>
  signedIn(app, 'ada@example.com', { email_verified_at: 1, ...changes });

const listOf = async ({ as }: TestApp, token: string) =>
  (await as(token, { url: '/v1/me/passkeys' })).json().passkeys;

/** What was mailed, by name. */
const noticesOf = (app: TestApp) => {
  const posted: string[] = [];
  const { outbox } = app.context;
  const post = outbox.post.bind(outbox);
  outbox.post = (to, compose) => {
    posted.push(`${to}: ${compose().subject}`);
    post(to, compose);
  };
  return posted;
};

t.test('a user adds, lists, renames and removes a passkey, and gets letters', async (t) => {
  const app = await testApp(t);
  const { as } = app;
  const { access_token: token } = await ada(app, { name: 'Ada' });
  const posted = noticesOf(app);

  const options = await offered(app, token);
  t.match(options, {
    rp: { id: 'localhost', name: 'Latchkey' },
    user: { name: 'ada@example.com', displayName: 'Ada' },
    excludeCredentials: [],
    attestation: 'none',
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  });
  const own = new SoftAuthenticator();
  own.flags |= SYNCED;
  const added = await add(app, token, own.create(options));
  t.equal(added.statusCode, 201);
  const made = {
    name: 'My phone',
    backed_up: true,
    transports: ['internal'],
    created_at: '2026-11-23T18:00:00.000Z',
    last_used_at: null,
  };
  t.match(added.json(), made);
  t.match((await offered(app, token)).excludeCredentials, [{ id: own.id }], 'not twice');

  const other = (await signInWith(app, own.get(await requested(app)))).json().access_token;
  const [listed] = await listOf(app, token);
  t.match(listed, { ...made, last_used_at: '2026-11-23T18:00:00.000Z' });

  const url = `/v1/me/passkeys/${listed.id}`;
  await enrolled(app, token);
  const renamed = await as(token, { method: 'PATCH', url, payload: { name: 'Laptop' } });
  t.match(renamed.json(), { id: listed.id, name: 'Laptop' });
  t.equal((await as(token, { method: 'DELETE', url })).statusCode, 204);
  t.equal((await listOf(app, token)).length, 1);
  refused(t, await as(other, { url: '/v1/me' }), 401, 'token_revoked');
  refused(t, await signInWith(app, own.get(await requested(app))), 401, 'passkey_refused');
  for (const method of ['PATCH', 'DELETE'] as const)
    refused(t, await as(token, { method, url, payload: { name: 'x' } }), 404, 'not_found');
  t.same(posted, [
    'ada@example.com: A passkey was added',
    'ada@example.com: A passkey was added',
    'ada@example.com: A passkey was removed',
  ]);
});

t.test('a passkey without a name is called Passkey', async (t) => {
  const app = await testApp(t);
  const { access_token: token } = await ada(app);
  const passkey = new SoftAuthenticator().create(await offered(app, token));
  const { transports: _transports, ...response } = passkey['response'] as Record<string, unknown>;
  const answer = await app.as(token, {
    method: 'POST',
    url: '/v1/me/passkeys',
    payload: { passkey: { ...passkey, response } },
  });
  t.match(answer.json(), { name: 'Passkey', transports: [] });
});

t.test('what changes the passkeys needs a recent proof', async (t) => {
  const app = await testApp(t);
  const owner = await withPasskey(app, 'ada@example.com');
  const options = await offered(app, owner.access_token);
  const [{ id }] = await listOf(app, owner.access_token);
  const aged = await agedToken(app, owner.id);
  const url = `/v1/me/passkeys/${id}`;
  const passkey = new SoftAuthenticator().create(options);
  for (const request of [
    { method: 'POST', url: '/v1/me/passkeys/options', payload: {} },
    { method: 'POST', url: '/v1/me/passkeys', payload: { passkey } },
    { method: 'PATCH', url, payload: { name: 'x' } },
    { method: 'DELETE', url },
  ] as const)
    refused(t, await app.as(aged, request), 401, 'step_up_required');
  t.equal((await app.as(aged, { url: '/v1/me/passkeys' })).statusCode, 200, 'a list makes nothing');
  t.match(await listOf(app, owner.access_token), [{ name: 'My phone' }]);
});

t.test('an eleventh passkey is refused, also when two are added at once', async (t) => {
  const app = await testApp(t);
  const { access_token: token } = await ada(app);
  for (let count = 0; count < 9; count += 1) await enrolled(app, token);
  const options = await offered(app, token);
  const answers = await Promise.all(
    [1, 2].map(() => add(app, token, new SoftAuthenticator().create(options))),
  );
  t.same(answers.map(({ statusCode }) => statusCode).sort(), [201, 409]);
  const more = await add(app, token, new SoftAuthenticator().create(await offered(app, token)));
  refused(t, more, 409, 'too_many_passkeys');
  t.equal((await listOf(app, token)).length, 10);
});

t.test('the last way in cannot be removed, also when two are removed at once', async (t) => {
  const app = await testApp(t);
  const { access_token: token } = await ada(app, { password_hash: null });
  await enrolled(app, token);
  await enrolled(app, token);
  const ids = (await listOf(app, token)).map(({ id }: { id: string }) => id);
  const remove = (id: string) => app.as(token, { method: 'DELETE', url: `/v1/me/passkeys/${id}` });
  const answers = await Promise.all(ids.map(remove));
  t.same(answers.map(({ statusCode }) => statusCode).sort(), [204, 409]);
  const [left] = await listOf(app, token);
  refused(t, await remove(left.id), 409, 'last_way_in');
  t.equal((await listOf(app, token)).length, 1);
});

t.test('the same passkey is added once', async (t) => {
  const app = await testApp(t);
  const { access_token: token } = await ada(app);
  const own = await enrolled(app, token);
  const again = await add(app, token, own.create(await offered(app, token)));
  refused(t, again, 400, 'passkey_invalid');
});

const forgeries: Record<string, Forgery> = {
  'another origin': { origin: 'https://evil.example.com' },
  'another RP ID': { rpId: 'evil.example.com' },
  'no user verification': { flags: 0x01 },
  'nobody present': { flags: VERIFIED },
  'a frame of another site': { crossOrigin: true },
  'the answer of another ceremony': { type: 'webauthn.get' },
  'no challenge of ours': { challenge: 'AAAA' },
};

for (const [what, forgery] of Object.entries(forgeries)) {
  t.test(`a new passkey with ${what} is refused`, async (t) => {
    const app = await testApp(t);
    const { access_token: token } = await ada(app);
    const made = new SoftAuthenticator().create(await offered(app, token), forgery);
    refused(t, await add(app, token, made), 400, 'passkey_invalid');
    t.same(await listOf(app, token), []);
  });
}

t.test('the challenge of another user, session, purpose or time adds no passkey', async (t) => {
  const app = await testApp(t);
  const { access_token: token } = await ada(app);
  const bob = await signedIn(app, 'bob@example.com', { email_verified_at: 1 });
  const elsewhere = (await app.login()).json().access_token;
  const own = await offered(app, token);
  for (const challenge of [
    (await offered(app, bob.access_token)).challenge,
    (await offered(app, elsewhere)).challenge,
    (await requested(app)).challenge,
  ]) {
    const made = new SoftAuthenticator().create({ ...own, challenge });
    refused(t, await add(app, token, made), 400, 'passkey_invalid');
  }
  app.clock.advance(300_000);
  refused(t, await add(app, token, new SoftAuthenticator().create(own)), 400, 'passkey_invalid');
  t.same(await listOf(app, token), []);
});

t.test('what is no attestation object is refused', async (t) => {
  const app = await testApp(t);
  const { access_token: token } = await ada(app);
  const made = new SoftAuthenticator().create(await offered(app, token));
  const response = { ...(made['response'] as object), attestationObject: 'AAAA' };
  refused(t, await add(app, token, { ...made, response }), 400, 'passkey_invalid');
});

t.test('an attestation statement is dropped, so nothing that it names is fetched', async (t) => {
  const app = await testApp(t);
  const { access_token: token } = await ada(app);
  // { fmt: "packed", attStmt: { alg: -7, sig: h'00', x5c: [h'00'] } }: verified, it would be refused.
  const attestation = Buffer.from(
    '63666d74667061636b6564' + '6761747453746d74' + 'a363616c67266373696741006378356381' + '4100',
    'hex',
  );
  const made = new SoftAuthenticator().create(await offered(app, token), { attestation });
  t.equal((await add(app, token, made)).statusCode, 201);
});
