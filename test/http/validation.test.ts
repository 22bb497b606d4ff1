import t from 'tap';
import { z } from 'zod';
import { validatorCompiler } from '../../src/http/validation.ts';
import type { Refusal } from '../../src/rules/refusal.ts';
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

t.test('each kind of fault has its words, and a message of the schema wins', async (t) => {
  const schema = z.strictObject({
    text: z.string(),
    whole: z.int().min(2).max(9),
    flag: z.boolean(),
    list: z.array(z.string()).min(2).max(2),
    id: z.uuid(),
    code: z.string().regex(/^x/),
    named: z.string().min(3, { error: 'is too short a name' }),
    either: z.union([z.string(), z.number()]),
    choice: z.enum(['a', 'b']),
    other: z.date(),
  });
  const faults = (input: object) => {
    const validate = validatorCompiler({ schema, method: 'POST', url: '/', httpPart: 'body' });
    const { error } = validate(input) as { error: Refusal };
    return error.circumstances.errors?.map(({ path, message }) => `${path} ${message}`);
  };
  t.strictSame(
    faults({ whole: 1, list: ['a'], id: 'x', code: 'y', named: 'n', either: true, other: 1 }),
    [
      '/text is required',
      '/whole must be at least 2',
      '/flag is required',
      '/list must be at least 2 entries',
      '/id must be a UUID',
      '/code must be in the form that the documentation shows',
      '/named is too short a name',
      '/either is not valid',
      '/choice is required',
      '/other must be of another type',
    ],
  );
  t.strictSame(faults({ text: 1, whole: 10, flag: 1, list: ['a', 'b', 'c'], id: 1, code: 1 }), [
    '/text must be text',
    '/whole must be at most 9',
    '/flag must be true or false',
    '/list must be at most 2 entries',
    '/id must be text',
    '/code must be text',
    '/named is required',
    '/either is required',
    '/choice is required',
    '/other is required',
  ]);
});

t.test('a value of a wrong type is told that alone, however long it is', async (t) => {
  const schema = z.strictObject({ list: z.array(z.string()).max(2), text: z.string().max(2) });
  const validate = validatorCompiler({ schema, method: 'POST', url: '/', httpPart: 'body' });
  const { error } = validate({ list: 'abc', text: [1, 2, 3] }) as { error: Refusal };
  t.strictSame(error.circumstances.errors, [
    { path: '/list', message: 'must be a list' },
    { path: '/text', message: 'must be text' },
  ]);
});
