import t from 'tap';
import { BODY_LIMIT } from '../../src/http/body.ts';
import { refused } from '../refused.ts';
import { testApp } from '../test-app.ts';

const { inject, events, logs, context } = await testApp(t);
const JSON_TYPE = { 'content-type': 'application/json' };
const send = (payload: string | Buffer, headers: Record<string, string> = JSON_TYPE) =>
  inject({ method: 'POST', url: '/v1/register', payload, headers });

t.test('anything but one JSON document in UTF-8 is 400', async (t) => {
  for (const [body, message] of [
    ['{', 'is not valid JSON'],
    ['{}x', 'is not valid JSON'],
    ['{}{}', 'is not valid JSON'],
    ["{'email':1}", 'is not valid JSON'],
    ['{"email":1,}', 'is not valid JSON'],
    ['// a comment\n{}', 'is not valid JSON'],
    ['{"email":NaN}', 'is not valid JSON'],
    ['{"email":01}', 'is not valid JSON'],
    ['{"email":"a\nb"}', 'is not valid JSON'],
    ['{"email":"\\x41"}', 'is not valid JSON'],
    ['email=ada', 'is not valid JSON'],
    [' ', 'is not valid JSON'],
    ['\u0000', 'is not valid JSON'],
    ['\ufeff{}', 'is not valid JSON'],
    [Buffer.from('{}', 'utf16le'), 'is not valid JSON'],
    ['['.repeat(BODY_LIMIT), 'is not valid JSON'],
    [Buffer.from([0xff]), 'is not valid UTF-8'],
    [Buffer.from([0x22, 0xc0, 0xaf, 0x22]), 'is not valid UTF-8'],
    [Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 'is not valid UTF-8'],
    [Buffer.from([0x22, 0xe2, 0x82]), 'is not valid UTF-8'],
  ] as const) {
    const { errors } = refused(t, await send(body as string | Buffer), 400, 'malformed_json');
    t.strictSame(errors, [{ path: '', message }]);
  }
});

t.test('a duplicate member is refused with its path', async (t) => {
  for (const [body, path] of [
    ['{"email":1,"email":1}', '/email'],
    ['{"em\\u0061il":1,"email":1}', '/email'],
    ['{"a":{"b":1,"b":2}}', '/a/b'],
    ['{"a":[0,{"b":1,"b":2}]}', '/a/1/b'],
    ['[{"b":1,"b":2}]', '/0/b'],
    ['{"a/b~c":1,"a/b~c":2}', '/a~1b~0c'],
    ['{"":1,"":2}', '/'],
    [`{"${'k'.repeat(100)}":1,"${'k'.repeat(100)}":2}`, `/${'k'.repeat(64)}`],
  ] as const) {
    const { errors } = refused(t, await send(body), 400, 'malformed_json');
    t.strictSame(errors, [{ path, message: 'appears twice' }]);
  }
  const siblings = await send('{"a":{"x":1},"b":{"x":1},"c":[{"x":1},{"x":1}]}');
  refused(t, siblings, 422, 'invalid_input');
});

t.test('names that can pollute prototypes are refused with their path', async (t) => {
  for (const [body, path] of [
    ['{"__proto__":{"polluted":true}}', '/__proto__'],
    ['{"\\u005f_proto__":{"polluted":true}}', '/__proto__'],
    ['{"constructor":{"prototype":{"polluted":true}}}', '/constructor'],
    ['{"prototype":1}', '/prototype'],
    ['{"a":[{"__proto__":1}]}', '/a/0/__proto__'],
  ] as const) {
    const { errors } = refused(t, await send(body), 400, 'malformed_json');
    t.strictSame(errors, [{ path, message: 'is a reserved name' }]);
  }
  t.equal(({} as Record<string, unknown>)['polluted'], undefined);
});

t.test('sixteen levels of nesting are accepted, the seventeenth is refused', async (t) => {
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  refused(t, await send(nested(16)), 422, 'invalid_input');
  const tooDeep = [nested(17), nested(8_000), `${'{"a":'.repeat(17)}1${'}'.repeat(17)}`];
  for (const [index, body] of tooDeep.entries()) {
    const { errors } = refused(t, await send(body), 400, 'malformed_json');
    const path = index === 2 ? '/a/a/a' : '/0/0/0';
    t.strictSame(errors, [{ path, message: 'is nested too deeply' }]);
  }
});

t.test('16 KB are accepted, one byte more is 413', async (t) => {
  const padded = (size: number) => `{"name":"${'a'.repeat(size - 11)}"}`;
  refused(t, await send(padded(BODY_LIMIT)), 422, 'invalid_input');
  refused(t, await send(padded(BODY_LIMIT + 1)), 413, 'body_too_large');
  refused(t, await send('a'.repeat(1_000_000)), 413, 'body_too_large');
});

t.test('a wrong Content-Length is 400', async (t) => {
  const answer = await send('{}', { ...JSON_TYPE, 'content-length': '1' });
  refused(t, answer, 400, 'bad_request');
});

t.test('any content type but JSON in UTF-8 is 415, even with a valid body', async (t) => {
  for (const type of [
    '',
    'text/plain',
    'text/plain;application/json',
    'text/plain; charset=utf-8',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    'application/jsonx',
    'application/json5',
    'application/json+x',
    'application/problem+json',
    'application/json;x',
    'application/json; charset=utf-16',
    'application/json; charset=iso-8859-1',
    'application/json; charset=utf-8; charset=utf-16',
    'application/json; charset=utf-8x',
    'application/json; charset=utf8',
    'application/json; boundary=x',
    'application/json, text/plain',
    'application/json\ttext/plain',
    'application/json text/plain',
    '*/*',
    'json',
    '\u0000',
  ]) {
    const answer = await send('{"email":1,"email":1}', { 'content-type': type });
    refused(t, answer, 415, 'unsupported_media_type');
  }
  const untyped = await inject({ method: 'POST', url: '/v1/register', payload: Buffer.from('{}') });
  refused(t, untyped, 415, 'unsupported_media_type');
});

t.test('every spelling of the content type JSON in UTF-8 is accepted', async (t) => {
  for (const type of [
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8',
    'application/json; charset="utf-8"',
    'application/json ; charset=utf-8 ',
  ]) {
    refused(t, await send('{}', { 'content-type': type }), 422, 'invalid_input');
  }
});

t.test('a missing body, an empty body and a body that is not an object are 422', async (t) => {
  for (const body of ['', 'null', 'true', '1', '1e999', '"x"', '[]']) {
    const { errors } = refused(t, await send(body), 422, 'invalid_input');
    t.match(errors, [{ path: '' }]);
  }
  refused(t, await inject({ method: 'POST', url: '/v1/register' }), 422, 'invalid_input');
});

t.test('none of these requests stored anything or logged an error', async (t) => {
  t.same(events(), []);
  t.equal(await context.users.findByEmail('ada@example.com'), undefined);
  t.same(
    logs.filter(({ level }) => Number(level) >= 50),
    [],
  );
});
