import t from 'tap';
import { refused } from '../refused.ts';
import { testApp } from '../test-app.ts';

const { post } = await testApp(t);

t.test('every fault is reported with its place and a reason', async (t) => {
  const answer = await post('/v1/login', { email: 1, transport: 'header', 'a/b~c': 1, extra: 2 });
  const { errors } = refused(t, answer, 422, 'invalid_input');
  t.strictSame(
    errors?.map(({ path }) => path),
    ['/email', '/password', '/transport', '/a~1b~0c', '/extra'],
  );
  for (const { message } of errors ?? []) t.match(message, /\w{4}/);
});

t.test('ERR-03 no message repeats the value that was sent', async (t) => {
  const canary = 'CANARY-5f2b';
  for (const body of [
    { email: canary, password: [canary] },
    { email: 'ada@example.com', password: `${canary}\ud800` },
    { email: 'ada@example.com', password: 'x', transport: canary },
    { email: { canary }, password: { canary } },
    { email: `${canary}@`, password: canary.repeat(200), device_token: [canary] },
  ]) {
    const answer = await post('/v1/login', body);
    refused(t, answer, 422, 'invalid_input');
    t.notOk(answer.payload.includes(canary));
  }
});

t.test('a body full of faults gets a short answer', async (t) => {
  const body = Object.fromEntries(Array.from({ length: 1_200 }, (_, index) => [`k${index}`, 1]));
  const answer = await post('/v1/login', body);
  t.equal(refused(t, answer, 422, 'invalid_input').errors?.length, 10);
  t.ok(answer.payload.length < 2_000);
});

t.test('messages are plain words, without the types of the schema', async (t) => {
  const body = { email: 5, password: '', transport: 'x', device_token: 'x'.repeat(5_000) };
  const { errors } = refused(t, await post('/v1/login', body), 422, 'invalid_input');
  t.strictSame(errors, [
    { path: '/email', message: 'must be text' },
    { path: '/password', message: 'must not be empty' },
    { path: '/transport', message: 'must be body or cookie' },
    { path: '/device_token', message: 'must be at most 4096 characters' },
  ]);
});
