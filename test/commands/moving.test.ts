import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { newMasterSecret, newSigningKey } from '../../src/parts/keys/new-keys.ts';
import { newTotp } from '../../src/parts/second-factor/totp.ts';
import { Users } from '../../src/parts/storage/users.ts';
import { emptyUser, newPerson } from '../../src/rules/accounts.ts';
import type { User } from '../../src/schemas/user.ts';
import { withFactor } from '../authenticator.ts';
import { deaf, type Engine, folder, opened, postgres, sqliteFile, usersOf } from '../databases.ts';
import { requested, signInWith, withPasskey } from '../passkeys.ts';
import { basic, form, serviceAccount } from '../people.ts';
import { keySet, PASSWORD, TestClock, testApp } from '../test-app.ts';
import { commandLine } from './command-line.ts';

const appOn = async (t: Test, engine: Engine, clock: TestClock) =>
  testApp(t, { database: opened(t, await engine.create()), clock });

const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString());

async function rowsOf(users: Users): Promise<(User | undefined)[]> {
  const rows: (User | undefined)[] = [];
  for await (const page of users.everyRow(2)) rows.push(...page);
  return rows;
}

t.test('nobody notices a move from SQLite to PostgreSQL', async (t) => {
  const clock = new TestClock();
  const from = await appOn(t, sqliteFile(t), clock);
  const to = await appOn(t, await postgres(t), clock);
  const file = join(folder(t), 'moved.jsonl');

  const ada = (await from.signUp('ada@example.com')).refresh_token;
  const tokens = (await from.refresh(ada)).json();
  const bob = await withFactor(t, from, 'bob@example.com');
  const carl = await from.signUp('carl@example.com');
  for (let guess = 0; guess < 12; guess += 1) await from.login('carl@example.com', 'wrong one');
  const carlsId = (await from.context.users.findByEmail('carl@example.com'))?.id ?? '';
  await from.context.users.change(carlsId, (user) => ({
    user: { ...user, claims: { plan: 'pro' } },
    result: undefined,
  }));
  const dora = await from.signUp('dora@example.com');
  await commandLine(from.context)(['disable', 'dora@example.com']);
  const emil = await from.signUp('emil@example.com');
  await from.as(emil.access_token, {
    method: 'DELETE',
    url: '/v1/me',
    payload: { password: PASSWORD },
  });
  const service = await serviceAccount(from, ['reader']);
  const ended = await withPasskey(from, 'fred@example.com', {
    identity_3: 'https://id.example.com|fred',
  });
  await from.post('/v1/logout', { refresh_token: ended.refresh_token });

  const written = await commandLine(from.context)(['export', '--with-secrets', file]);
  t.match(written, {
    code: 0,
    out: '7 rows written\n',
    err: /moved\.jsonl contains password hashes/,
  });
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.same(await commandLine(to.context)(['import', '--dry-run', file]), {
    code: 0,
    out: '7 would be added, 0 already present, 0 refused\n',
    err: '',
  });
  t.same(await commandLine(to.context)(['import', file]), {
    code: 0,
    out: '7 added, 0 already present, 0 refused\n',
    err: '',
  });
  t.match(await commandLine(to.context)(['import', file]), {
    code: 0,
    out: '0 added, 7 already present, 0 refused\n',
  });
  t.match(await commandLine(to.context)(['import', '--dry-run', file]), {
    out: '0 would be added, 7 already present, 0 refused\n',
  });
  t.same(await rowsOf(to.context.users), await rowsOf(from.context.users), 'each row is the same');
  await to.context.revocationFeed.poll();

  const me = await to.as(tokens.access_token, { url: '/v1/me' });
  t.match(me.json(), { email: 'ada@example.com' }, 'access tokens');
  t.equal((await to.refresh(tokens.refresh_token)).statusCode, 200, 'refresh tokens');
  const device_token = tokens.device_token ?? (await from.login()).json().device_token;
  const known = await to.post('/v1/login', {
    email: 'ada@example.com',
    password: PASSWORD,
    device_token,
  });
  t.equal(claimsOf(known.json().device_token).jti, claimsOf(device_token).jti, 'device tokens');

  const challenge = async () => {
    const { mfa_token } = (await to.login('bob@example.com')).json();
    return mfa_token;
  };
  const code = { mfa_token: await challenge(), code: bob.code() };
  t.equal((await to.post('/v1/login/mfa', code)).statusCode, 200, 'second factors');
  t.equal(
    (await to.post('/v1/login/mfa', { ...code, mfa_token: await challenge() })).statusCode,
    401,
  );
  const recovery = { mfa_token: await challenge(), recovery_code: bob.recoveryCodes[3] };
  t.equal((await to.post('/v1/login/mfa', recovery)).statusCode, 200, 'recovery codes');

  t.equal((await to.login('dora@example.com')).statusCode, 401, 'a disabled user');
  t.equal((await to.refresh(dora.refresh_token)).statusCode, 401);
  t.equal((await to.as(emil.access_token, { url: '/v1/whoami' })).statusCode, 401, 'a deleted one');
  t.equal((await to.as(ended.access_token, { url: '/v1/whoami' })).statusCode, 401, 'a sign-out');
  const carls = await to.context.users.findByEmail('carl@example.com');
  t.ok(carls?.throttle.length, 'the throttle');
  const carlsNext = await to.refresh(carl.refresh_token);
  t.match(claimsOf(carlsNext.json().access_token), { plan: 'pro' }, 'custom claims');
  const assertion = ended.passkey.get(await requested(to));
  t.equal((await signInWith(to, assertion)).statusCode, 200, 'passkeys');
  const linked = await to.context.users.findByIdentity('identity_3', 'https://id.example.com|fred');
  t.equal(linked?.id, ended.id, 'linked providers');
  const grant = { grant_type: 'client_credentials' };
  t.equal((await form(to, '/oauth/token', grant, basic(service))).statusCode, 200, 'services');
});

t.test(
  'with another key set, who has a second factor is refused, and not locked out',
  async (t) => {
    const from = await testApp(t);
    await withFactor(t, from, 'bob@example.com');
    await from.signUp('ada@example.com');
    const ada = (await from.context.users.findByEmail('ada@example.com')) as User;
    const { pending } = newTotp(from.context.keys, ada, from.clock.now);
    await from.context.users.change(ada.id, (user) => ({
      user: { ...user, mfa: { ...user.mfa, ...(pending && { pending }) } },
      result: undefined,
    }));
    const file = join(folder(t), 'moved.jsonl');
    await commandLine(from.context)(['export', '--with-secrets', file]);
    const keys = keySet(newSigningKey('ES256', 0), newMasterSecret(0));
    const to = await testApp(t, { env: { SIGNING_KEYS: keys } });
    const command = commandLine(to.context);
    for (const words of [
      ['import', '--dry-run', file],
      ['import', file],
    ])
      t.match(await command(words), {
        code: 65,
        out: /^1 (would be )?added, 0 already present, 1 refused\n$/,
        err: /^line \d: has a second factor that only another SIGNING_KEYS can decrypt\n$/,
      });
    t.equal(await to.context.users.findByEmail('bob@example.com'), undefined);
    t.ok(await to.context.users.findByEmail('ada@example.com'));
    const moved = await to.context.users.findByEmail('ada@example.com');
    t.same(moved?.mfa, { challenges: [] }, 'a second factor that was not confirmed begins again');
  },
);

t.test('an export with secrets', async (t) => {
  const { context } = await testApp(t);
  const command = commandLine(context);
  const path = folder(t);
  const many = Array.from({ length: 1_203 }, (_, index) =>
    JSON.stringify({ email: `m${index}@example.com` }),
  );
  writeFileSync(join(path, 'many.jsonl'), many.join('\n'));
  await command(['import', join(path, 'many.jsonl')]);

  t.test('never overwrites a file', async (t) => {
    const file = join(path, 'there.jsonl');
    writeFileSync(file, 'mine');
    await t.rejects(command(['export', '--with-secrets', file]), { message: /exists already/ });
    t.equal(readFileSync(file, 'utf8'), 'mine');
  });

  t.test('of many pages is complete, and an import notices if the end is missing', async (t) => {
    const file = join(path, 'whole.jsonl');
    t.match(await command(['export', '--with-secrets', file]), { out: '1203 rows written\n' });
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    t.equal(lines.length, 1_204);
    t.equal(lines.at(-1), '{"end":{"rows":1203}}');
    const cut = join(path, 'cut.jsonl');
    writeFileSync(cut, `${lines.slice(0, 700).join('\n')}\n`);
    const interrupted = await command(['import', cut]);
    t.match(interrupted, { code: 65, err: /^line 700: is not the end .*interrupted\n$/ });
    appendFileSync(cut, '{"end":{"rows":701}}\n');
    t.match(await command(['import', cut]), { code: 65, err: /^line 701: .*number of rows\n$/ });
  });

  t.test('is removed if it cannot be completed', async (t) => {
    const file = join(path, 'failed.jsonl');
    const { db, users } = await usersOf(t, sqliteFile(t));
    await db.destroy();
    const failing = commandLine({ ...context, users });
    await t.rejects(failing(['export', '--with-secrets', file]), { message: 'count' });
    t.equal(existsSync(file), false);
  });

  t.test('says that a row cannot be read', async (t) => {
    const { db, users } = await usersOf(t, sqliteFile(t));
    const person = newPerson(
      {
        id: '0190a1b2-0000-7000-8000-000000000001',
        email: 'a@example.com',
        name: null,
        passwordHash: null,
      },
      0,
    );
    await users.insert(person);
    await users.insert({ ...emptyUser('0190a1b2-0000-7000-8000-000000000002', 'service', 0) });
    await db.updateTable('users').set({ sessions: '{' }).where('id', '=', person.id).execute();
    const file = join(path, 'unreadable.jsonl');
    const own = commandLine({ ...context, users: new Users(db, deaf) });
    const { code, out, err } = await own(['export', '--with-secrets', file]);
    t.equal(code, 65);
    t.equal(out, '1 rows written\n');
    t.match(err, /1 rows cannot be read, and are not in the file\n$/);
  });

  t.test('is not believed blindly', async (t) => {
    const person = newPerson(
      {
        id: '0190a1b2-0000-7000-8000-000000000009',
        email: 'z@example.com',
        name: null,
        passwordHash: null,
      },
      0,
    );
    const bad = [
      { ...person, id: '00000000-0000-7000-8000-000000000000', email: null, email_key: null },
      { ...person, email_key: 'ada@example.com' },
      { ...person, id: 'x' },
      { ...person, another: 1 },
      { ...person, token_version: '0' },
    ];
    const lines: unknown[] = [
      ...bad.map((row) => ({ row })),
      { end: { rows: bad.length } },
      { end: 1 },
    ];
    const file = join(path, 'bad.jsonl');
    writeFileSync(file, lines.map((line) => JSON.stringify(line)).join('\n'));
    const { code, out, err } = await command(['import', file]);
    t.equal(code, 65);
    t.equal(out, '0 added, 0 already present, 7 refused\n');
    t.same(err.match(/^line \d/gm), [
      'line 1',
      'line 2',
      'line 3',
      'line 4',
      'line 5',
      'line 7',
      'line 7',
    ]);
    t.notMatch(err, 'z@example.com');
  });
});
