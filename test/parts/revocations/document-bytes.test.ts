import t from 'tap';
import { documentBytes } from '../../../src/parts/revocations/document-bytes.ts';
import type { Revocation } from '../../../src/parts/revocations/revocation-log.ts';

const read = async (claims: object, revocations: Revocation[]) =>
  JSON.parse(Buffer.from(String(await documentBytes(claims, revocations)), 'base64url').toString());

t.test('a document has every revocation once, however many there are', async (t) => {
  for (const size of [0, 1, 3, 1_999, 2_000, 2_001, 9_000]) {
    const sessions = Array.from({ length: size }, (_, index) => `session-${index}`);
    const users = Object.fromEntries(sessions.map((_, index) => [`user-${index}`, index]));
    const revocations: Revocation[] = sessions.flatMap((sid, index) => [
      { sid },
      { sub: `user-${index}`, ver: 0 },
      { sub: `user-${index}`, ver: index },
    ]);
    const claims = { iss: 'https://id.example.com/é"', cursor: 'x'.repeat(size % 3) };
    t.same(await read(claims, revocations), { ...claims, sessions, users }, `${size}`);
  }
});

t.test('requests are served while it is made', async (t) => {
  let turns = 0;
  const look = () => {
    turns += 1;
    if (!isOver) setImmediate(look);
  };
  let isOver = false;
  setImmediate(look);
  await documentBytes(
    {},
    Array.from({ length: 20_000 }, (_, index) => ({ sid: `${index}` })),
  );
  isOver = true;
  t.ok(turns >= 10, `${turns}`);
});
