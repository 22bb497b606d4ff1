import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import t, { type Test } from 'tap';
import { readKeySet } from '../../src/parts/keys/key-set.ts';
import { newMasterSecret, newSigningKey } from '../../src/parts/keys/new-keys.ts';
import { sealerOf, unseal } from '../../src/parts/second-factor/secret-box.ts';
import { newTotp } from '../../src/parts/second-factor/totp.ts';
import type { User } from '../../src/schemas/user.ts';
import { folder, opened } from '../databases.ts';
import { signedIn } from '../people.ts';
import { NOW } from '../rules/samples.ts';
import { keySet, testApp } from '../test-app.ts';
import { keysCommand } from './key-commands.ts';

/** A service whose first master secret was replaced, and is past its time. */
async function replaced(t: Test) {
  const path = join(folder(t), 'keys.json');
  const env = { SIGNING_KEYS: path, DATABASE_URL: `file:${path}.db` };
  const old = newMasterSecret(0);
  writeFileSync(path, keySet(newSigningKey('ES256', 0), old), { mode: 0o600 });
  const app = await testApp(t, { env });
  const { context, clock } = app;
  const enrolled = async (email: string, name: 'totp' | 'pending') => {
    const { id } = await signedIn(app, email);
    await context.users.change(id, (user) => {
      const { pending, secret } = newTotp(context.keys, user, clock.now);
      return { user: { ...user, mfa: { ...user.mfa, [name]: pending } }, result: secret };
    });
    return id;
  };
  const ids = [
    await enrolled('ada@example.com', 'totp'),
    await enrolled('grace@example.com', 'pending'),
    (await signedIn(app, 'alan@example.com')).id,
  ];
  const run = (name: 'rotate' | 'retire', options = {}) =>
    keysCommand(name, { env, options, now: clock.now });
  await run('rotate', { master: true });
  clock.advance(181 * 86_400_000);
  const masters = () => readKeySet(readFileSync(path, 'utf8')).masters.map(({ kid }) => kid);
  return { app, env, old, ids, run, masters };
}

t.test('retire encrypts second factors again before it removes a master secret', async (t) => {
  const { app, old, ids, run, masters } = await replaced(t);
  const { users, keys } = app.context;
  const before = await users.findById(ids[2] as string);
  const { code, out, err } = await run('retire');
  t.same([code, err], [0, '']);
  t.match(out, /^Second factors of 2 users are encrypted with the secret in use\.\n/);
  t.match(out, `${old.kid} is removed.\n`);
  t.notMatch(out, /begin anew/, 'they did when it ended');
  const [next, ...others] = masters();
  t.same(others, []);
  await app.context.reloadKeys();
  t.equal(keys.masterOf(`${old.kid}`), undefined);
  for (const id of ids.slice(0, 2)) {
    const { mfa } = (await users.findById(id)) as User;
    const { secret } = (mfa.totp ?? mfa.pending) as { secret: string };
    t.equal(sealerOf(secret), next);
    t.match(unseal(keys, secret, id), /^[A-Z2-7]{32}$/);
  }
  t.same(await users.findById(ids[2] as string), before, 'nothing else was written');
  t.match(await run('retire'), { code: 0, out: 'No key is past its time.\n' });
});

t.test(
  'retire says when counts begin anew, if the secret that it removes had no end',
  async (t) => {
    const path = join(folder(t), 'keys.json');
    const [old, next] = [newMasterSecret(0), newMasterSecret(NOW / 1_000 - 181 * 86_400)];
    writeFileSync(path, keySet(newSigningKey('ES256', 0), old, next), { mode: 0o600 });
    const env = { SIGNING_KEYS: path, DATABASE_URL: `file:${path}.db` };
    const { out } = await keysCommand('retire', { env, now: NOW });
    t.match(out, `${old.kid} is removed.\n`);
    t.match(out, /counted: those counts begin anew\.$/m);
  },
);

t.test('retire keeps a master secret while a row that may need it cannot be read', async (t) => {
  const { env, ids, run, masters } = await replaced(t);
  const db = opened(t, env.DATABASE_URL);
  const corrupt = (id: string | undefined, mfa: string) =>
    db.updateTable('users').set({ mfa }).where('id', '=', `${id}`).execute();
  const [sealed = ''] = masters();
  await corrupt(ids[0], JSON.stringify({ totp: { secret: `${sealed}.x.x`, last_step: 0 } }));
  await corrupt(ids[2], '{');
  const { code, out, err } = await run('retire');
  t.equal(code, 65);
  t.match(out, /^Second factors of 1 users/);
  t.match(
    err,
    /^2 rows cannot be read, and may need a master secret that is gone: none is removed\.$/m,
  );
  t.equal(masters().length, 2);
});

t.test('retire removes nothing if the database takes no writes', async (t) => {
  const { env, run, masters } = await replaced(t);
  const db = opened(t, env.DATABASE_URL);
  await sql`create trigger no before update of mfa on users begin select raise(abort, 'no'); end`.execute(
    db,
  );
  t.match(await run('retire'), { code: 69 });
  t.equal(masters().length, 2);
});
