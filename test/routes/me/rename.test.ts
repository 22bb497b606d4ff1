import t from 'tap';
import { refused } from '../../refused.ts';
import { testApp } from '../../test-app.ts';

const { signUp, as, inject, context, clock } = await testApp(t);
const { access_token } = await signUp();
const rename = (payload: object, token = access_token) =>
  as(token, { method: 'PATCH', url: '/v1/me', payload });
const row = () => context.users.findByEmail('ada@example.com');

t.test('a user changes the name, and removes it', async (t) => {
  clock.advance(1_000);
  for (const [sent, kept] of [
    ['  Ada Lovelace ', 'Ada Lovelace'],
    ['نور 👩‍💻', 'نور 👩‍💻'],
    ['می\u200cخواهم', 'می\u200cخواهم'],
    [null, null],
  ]) {
    const answer = await rename({ name: sent });
    t.equal(answer.statusCode, 200);
    t.equal(answer.json().name, kept);
    t.equal((await row())?.name, kept);
  }
  t.equal((await row())?.updated_at, clock.now);
});

t.test('nothing but the name can be changed here', async (t) => {
  const before = await row();
  for (const [payload, path] of [
    [{}, '/name'],
    [{ name: 'Ada', roles: ['admin'] }, '/roles'],
    [{ name: 'Ada', email: 'eve@example.com' }, '/email'],
    [{ name: 'Ada', id: 'x' }, '/id'],
    [{ name: '' }, '/name'],
    [{ name: ['Ada'] }, '/name'],
  ] as const) {
    t.match(refused(t, await rename(payload), 422, 'invalid_input').errors, [{ path }]);
  }
  t.same(await row(), before);
});

t.test('a name has no characters that pose as another name', async (t) => {
  const before = await row();
  for (const code of [0x202a, 0x202e, 0x2066, 0x2069, 0x200b, 0x200f, 0xfeff, 0xe000, 0xe0041]) {
    const answer = await rename({ name: `A${String.fromCodePoint(code)}da` });
    t.match(refused(t, answer, 422, 'invalid_input').errors, [
      { path: '/name', message: /^must not have invisible characters/ },
    ]);
  }
  t.match(refused(t, await rename({ name: 'A\u2028da' }), 422, 'invalid_input').errors, [
    { path: '/name', message: 'must be a single line of text' },
  ]);
  t.same(await row(), before);
});

t.test('a stranger cannot change anything', async (t) => {
  const request = { method: 'PATCH', url: '/v1/me', payload: { name: 'Eve' } } as const;
  refused(t, await inject(request), 401, 'token_missing');
  refused(t, await rename({ name: 'Eve' }, 'x.y.z'), 401, 'token_invalid');
  t.equal((await row())?.name, null);
});

t.test('two changes of the name at once both succeed, one after the other', async (t) => {
  const answers = await Promise.all([rename({ name: 'One' }), rename({ name: 'Two' })]);
  t.same(
    answers.map((answer) => answer.statusCode),
    [200, 200],
  );
  t.match((await row())?.name, /^(One|Two)$/);
});

t.test('a deleted user cannot be changed', async (t) => {
  const eve = await signUp('eve@example.com');
  const user = await context.users.findByEmail('eve@example.com');
  await context.users.change(user?.id as string, (before) => ({
    user: { ...before, status: 'deleted', revoked_at: 0 },
    result: undefined,
  }));
  await context.users.removeDeleted(1);
  refused(t, await rename({ name: 'Eve' }, eve.access_token), 401, 'token_revoked');
  refused(t, await as(eve.access_token, { url: '/v1/me' }), 401, 'token_revoked');
});
