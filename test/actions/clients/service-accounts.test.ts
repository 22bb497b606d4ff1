import { createHash } from 'node:crypto';
import t from 'tap';
import {
  authenticate,
  newServiceAccount,
  withNewSecret,
} from '../../../src/actions/clients/service-accounts.ts';
import { UnreadableRows } from '../../../src/parts/storage/unreadable-rows.ts';
import type { User } from '../../../src/schemas/user.ts';
import { sqliteInMemory, usersOf } from '../../databases.ts';
import { ada, NOW } from '../../rules/samples.ts';

const sha256 = (secret: string) => createHash('sha256').update(secret).digest('base64url');

t.test('a new service account stores the hash of its secret, and not the secret', async (t) => {
  const { account, secret } = newServiceAccount({ name: 'reports', roles: ['reader'] }, NOW);
  t.equal(Buffer.from(secret, 'base64url').length, 32);
  t.same(account.secret_hashes, [sha256(secret)]);
  t.notOk(JSON.stringify(account).includes(secret));
  t.match(account, { kind: 'service', status: 'active', created_at: NOW, email: null });
});

t.test('a new secret is stored before the last one, and a third is not kept', async (t) => {
  const { account, secret: first } = newServiceAccount({ name: 'reports', roles: [] }, NOW);
  const { user: second, result: two } = withNewSecret(account, NOW + 1);
  t.same(second.secret_hashes, [sha256(two), sha256(first)]);
  t.equal(second.updated_at, NOW + 1);
  const { user: third, result: three } = withNewSecret(second, NOW + 2);
  t.same(third.secret_hashes, [sha256(three), sha256(two)]);
  t.equal(third.token_version, 0, 'tokens stay valid until they expire');
  const { user: anew, result: only } = withNewSecret({ ...account, secret_hashes: null }, NOW);
  t.same(anew.secret_hashes, [sha256(only)]);
});

t.test('only an active service account can authenticate with its secret', async (t) => {
  const { users } = await usersOf(t, sqliteInMemory);
  const told: string[] = [];
  const unreadableRows = new UnreadableRows({
    error: (details) => told.push((details as { user: string }).user),
  });
  const made = newServiceAccount({ name: 'reports', roles: [] }, NOW);
  const insert = async (changes: Partial<User>) => {
    const { id } = newServiceAccount({ name: 'reports', roles: [] }, NOW).account;
    await users.insert({ ...made.account, id, ...changes });
    return id;
  };
  const proves = async (id: string, secret = made.secret) =>
    (await authenticate({ users, unreadableRows }, id, secret))?.id;
  const id = await insert({});
  t.equal(await proves(id), id);
  for (const secret of [
    '',
    ' ',
    `${made.secret} `,
    sha256(made.secret),
    String(made.account.secret_hashes),
  ]) {
    t.equal(await proves(id, secret), undefined);
  }
  for (const changes of [
    { status: 'disabled' },
    { status: 'deleted' },
    { kind: 'person' },
    { secret_hashes: null },
    { secret_hashes: [] },
  ] as Partial<User>[]) {
    t.equal(await proves(await insert(changes)), undefined, JSON.stringify(changes));
  }
  const person = ada({ password_hash: sha256(made.secret) });
  await users.insert(person);
  t.equal(await proves(person.id), undefined);
  t.equal(await proves('another'), undefined);
  t.same(told, [], 'none of these is damaged');
  const [sound] = made.account.secret_hashes as [string];
  for (const [secret_hashes, isRight] of [
    [[sound.slice(0, -1)], false],
    [[`${sound}${sound}`], false],
    [['x', sound], true],
    [[sound, 'x'.repeat(99)], true],
  ] as [string[], boolean][]) {
    const damaged = await insert({ secret_hashes });
    for (let turn = 0; turn < 3; turn += 1)
      t.equal(await proves(damaged), isRight ? damaged : undefined, String(secret_hashes));
    t.equal(told.pop(), damaged, 'the damaged row is logged');
    t.same(told, [], 'once');
  }
});
