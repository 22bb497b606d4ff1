import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { importUsers } from '../../src/commands/import-users.ts';
import { appWithLetters } from '../actions/letters.ts';
import { folder } from '../databases.ts';
import { admin, passwordHash, signedIn } from '../people.ts';
import { refused } from '../refused.ts';
import { PASSWORD } from '../test-app.ts';

const app = await appWithLetters(t);
const { post, as, login, context, posted } = app;
const root = await admin(app);

const EMPTY_ATOMS = [
  '.ada@example.com',
  'ada.@example.com',
  'a..b@example.com',
  '.@example.com',
  // Two dots after normalisation.
  'a\u2025b@example.com',
  'ada\uff0e@example.com',
];
const message =
  'must not have a dot at the start or end of the part before the @, or two dots in a row';

t.test('no way of creating an account accepts an address with an empty atom', async (t) => {
  const before = await context.users.list({ kind: 'person', limit: 100 });
  for (const email of EMPTY_ATOMS) {
    const change = { method: 'PUT', url: '/v1/me/email' } as const;
    for (const answer of [
      await post('/v1/register', { email, password: PASSWORD }),
      await post('/v1/register', { email }),
      await as(root.access_token, { method: 'POST', url: '/v1/users', payload: { email } }),
      await as(root.access_token, { ...change, payload: { email, password: PASSWORD } }),
    ]) {
      const { errors } = refused(t, answer, 422, 'invalid_input');
      t.same(errors, [{ path: '/email', message }], email);
    }
  }
  const after = await context.users.list({ kind: 'person', limit: 100 });
  t.same(
    after.map(({ email }) => email),
    before.map(({ email }) => email),
  );
  t.same(await posted(), [], 'no mail is sent');
});

t.test('dots between other characters are allowed', async (t) => {
  for (const email of ['a.b.c@example.com', 'ada.lovelace+x@sub.example.com'])
    t.equal((await post('/v1/register', { email })).statusCode, 202, email);
  t.equal((await posted()).length, 2);
});

t.test('existing users with such an address can sign in and reset their password', async (t) => {
  const email = '.old..ada.@example.com';
  const { access_token } = await signedIn(app, email, { password_hash: passwordHash(app) });
  t.equal((await login(email)).statusCode, 200);
  t.equal((await post('/v1/password/forgot', { email })).statusCode, 202);
  const [{ token = '' } = {}] = await posted();
  const own = { email: email.toUpperCase(), password: PASSWORD };
  const prove = { method: 'PUT', url: '/v1/me/email', payload: own } as const;
  t.equal((await as(access_token, prove)).statusCode, 202, 'and confirm their mailbox');
  const [{ token: proof } = {}] = await posted();
  t.equal((await post('/v1/email/confirm', { token: proof })).statusCode, 204);
  const password = 'a lantern in the rainy harbour';
  t.equal((await post('/v1/password/reset', { token, password })).statusCode, 204);
  t.equal((await login(email, password)).statusCode, 200);
});

t.test('at sign-in nobody learns whether such an address has an account', async (t) => {
  await signedIn(app, 'k..nown@example.com', { password_hash: passwordHash(app) });
  for (const email of ['k..nown@example.com', 'u..nknown@example.com']) {
    refused(t, await login(email, 'not the password'), 401, 'invalid_credentials');
    t.equal((await post('/v1/password/forgot', { email })).statusCode, 202);
  }
});

t.test('an import accepts such addresses', async (t) => {
  const file = join(folder(t), 'users.jsonl');
  writeFileSync(file, JSON.stringify({ email: 'j..doe@example.com' }));
  const { added } = await importUsers(file, {
    users: context.users,
    keys: context.keys,
    clock: context.clock,
    faultOf: () => undefined,
    report: { refused: (line, reason) => t.fail(`${line}: ${reason}`), progress: () => {} },
  });
  t.equal(added, 1);
});
