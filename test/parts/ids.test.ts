import t from 'tap';
import { newUserId, randomId } from '../../src/parts/ids.ts';
import { NOW } from '../rules/samples.ts';

t.test('an ID is a UUIDv7: it has its millisecond, sorts by time and is unique', async (t) => {
  const id = newUserId(NOW);
  const form = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;
  for (let turn = 0; turn < 100; turn += 1) t.match(newUserId(NOW), form);
  t.equal(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16), NOW);
  t.ok(newUserId(NOW + 1) > id);
  t.equal(new Set(Array.from({ length: 1_000 }, () => newUserId(NOW))).size, 1_000);
});

t.test('the ID of a session or token has 128 bits and is unique', async (t) => {
  const ids = Array.from({ length: 1_000 }, randomId);
  for (const id of ids.slice(0, 10)) t.equal(Buffer.from(id, 'base64url').length, 16);
  t.equal(new Set(ids).size, 1_000);
});
