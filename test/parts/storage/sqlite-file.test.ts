import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import t, { type Test } from 'tap';
import { openMail } from '../../../src/parts/mail/transport.ts';
import { readKeyFile } from '../../../src/parts/storage/key-file.ts';
import { makePrivate } from '../../../src/parts/storage/sqlite-file.ts';
import { folder, opened } from '../../databases.ts';
import { testApp } from '../../test-app.ts';

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

/** Runs `act` with this umask. */
function under(umask: number, act: () => void): void {
  const before = process.umask(umask);
  try {
    act();
  } finally {
    process.umask(before);
  }
}

/** Opens the file, writes to it, and returns the modes of all files of the folder. */
async function rightsOf(t: Test, path: string, warnings: string[] = []) {
  const db = opened(t, `file:${path}`, { warn: (message) => warnings.push(message) });
  await sql`create table if not exists words (word text)`.execute(db);
  const names = readdirSync(join(path, '..')).sort();
  return Object.fromEntries(names.map((name) => [name, modeOf(join(path, '..', name))]));
}

const PRIVATE = { 'test.db': '600', 'test.db-shm': '600', 'test.db-wal': '600' };

for (const umask of [0, 0o022, 0o077]) {
  t.test(`only the owner can open what is created with umask ${umask.toString(8)}`, async (t) => {
    const root = folder(t);
    under(umask, () => {
      t.equal(makePrivate(join(root, 'a', 'b', 'test.db')), undefined);
      openMail(`file:${join(root, 'mail', 'box')}`, {
        from: 'x@example.com',
        product: 'x',
      });
      readKeyFile(join(root, 'keys', 'keys.json'), () => []);
    });
    for (const made of ['a', 'a/b', 'mail', 'mail/box', 'keys'])
      t.equal(modeOf(join(root, made)), '700', made);
    t.same(await rightsOf(t, join(root, 'a', 'b', 'test.db')), PRIVATE);
  });
}

t.test('an existing folder keeps its mode: it may be shared', async (t) => {
  const shared = join(folder(t), 'shared');
  mkdirSync(shared);
  chmodSync(shared, 0o775);
  makePrivate(join(shared, 'test.db'));
  t.equal(modeOf(shared), '775');
});

t.test('a database that others could open becomes private, with one warning', async (t) => {
  const path = join(folder(t), 'test.db');
  for (const end of ['', '-wal', '-shm']) {
    writeFileSync(path + end, '');
    chmodSync(path + end, 0o644);
  }
  const warnings: string[] = [];
  t.same(await rightsOf(t, path, warnings), PRIVATE);
  t.same(await rightsOf(t, path, warnings), PRIVATE);
  t.same(warnings.length, 1);
  chmodSync(path, 0o640);
  const { logs } = await testApp(t, { env: { DATABASE_URL: `file:${path}` } });
  t.match(
    logs.filter(({ level }) => level === 40),
    [{ msg: /^DATABASE_URL: other users .* could open/ }],
  );
  t.equal(modeOf(path), '600');
});

t.test('if the mode cannot be changed, there is only a warning', async (t) => {
  const path = '/proc/self/comm';
  if (!existsSync(path)) return;
  t.match(makePrivate(path), /cannot be changed/);
});
