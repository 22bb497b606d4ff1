import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import t, { type Test } from 'tap';
import type { Database } from '../src/parts/storage/database.ts';
import { codeAt, wrongCode } from './authenticator.ts';
import { type Engine, folder, opened, postgres, sqliteFile } from './databases.ts';
import { lastRelease } from './last-release.ts';
import { serve } from './server.ts';
import { keysFor, PASSWORD, type Tokens } from './test-app.ts';

/** Of a code (ms). */
const STEP = 30_000;

type Server = Awaited<ReturnType<typeof serve>>;

interface Node extends Server {
  name: string;
  /** Sends a request with this access token. */
  as(token: string, method: string, path: string, body?: object): Promise<Response>;
  form(path: string, fields: Record<string, string>): Promise<Response>;
}

async function node(
  t: Test,
  { name, url, source }: { name: string; url: string; source?: string },
): Promise<Node> {
  const server = await serve(t, {
    cwd: folder(t),
    ...(source !== undefined && { source }),
    env: {
      DATABASE_URL: url,
      ISSUER: 'http://localhost:3000',
      SIGNING_KEYS: keysFor('ES256'),
    },
  });
  const as = (token: string, method: string, path: string, body?: object) =>
    fetch(`${server.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
  const form = (path: string, fields: Record<string, string>) =>
    fetch(`${server.url}${path}`, { method: 'POST', body: new URLSearchParams(fields) });
  return { ...server, name, as, form };
}

const jsonOf = async <T>(answer: Response, status = 200): Promise<T> => {
  if (answer.status !== status)
    throw new Error(`${answer.url}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
};

const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString());

/** What is revoked on one node is refused on the other after its next poll. */
async function refusedSoon(t: Test, { name, whoami }: Node, token: string, what: string) {
  let status = 200;
  for (let waited = 0; status === 200 && waited < 10_000; waited += 50) {
    ({ status } = await whoami(token));
    await sleep(50);
  }
  t.equal(status, 401, `${what}: refused on the ${name} node`);
}

/** Whoever asks is somebody else each time. */
let count = 0;
const newcomer = async (node: Node): Promise<Tokens & { email: string }> => {
  count += 1;
  const email = `u${count}@example.com`;
  return { email, ...(await node.tokens('/v1/register', { email, password: PASSWORD })) };
};

/** A session goes from one version to the other with every refresh. */
async function refreshes(t: Test, one: Node, other: Node) {
  const { access_token, refresh_token } = await newcomer(one);
  for (const { name, whoami } of [one, other])
    t.equal((await whoami(access_token)).status, 200, `the ${name} node reads it`);
  let tokens = { access_token, refresh_token };
  for (const node of [other, one, other, other, one]) {
    tokens = await node.tokens('/v1/refresh', { refresh_token: tokens.refresh_token });
    t.equal((await one.whoami(tokens.access_token)).status, 200);
  }
  const again = { refresh_token: tokens.refresh_token };
  const [first, second] = [
    await one.tokens('/v1/refresh', again),
    await other.tokens('/v1/refresh', again),
  ];
  t.equal(second.refresh_token, first.refresh_token, 'the same successor from both');
  return first;
}

async function revocations(t: Test, one: Node, other: Node) {
  const gone = await newcomer(one);
  await one.post('/v1/logout', { refresh_token: gone.refresh_token });
  await refusedSoon(t, other, gone.access_token, 'sign-out');
  const answer = await other.post('/v1/refresh', { refresh_token: gone.refresh_token });
  t.equal(answer.status, 401);

  const ada = await newcomer(other);
  const elsewhere = await one.tokens('/v1/login', { email: ada.email, password: PASSWORD });
  const new_password = 'a better horse battery staple';
  const body = { current_password: PASSWORD, new_password };
  const changed = await jsonOf<Tokens>(
    await one.as(ada.access_token, 'PUT', '/v1/me/password', body),
  );
  await refusedSoon(t, other, elsewhere.access_token, 'a changed password');
  t.equal((await other.whoami(changed.access_token)).status, 200);
  await other.tokens('/v1/refresh', { refresh_token: changed.refresh_token });
  await other.tokens('/v1/login', { email: ada.email, password: new_password });

  const deleted = await newcomer(one);
  const ends = await one.as(deleted.access_token, 'DELETE', '/v1/me', { password: PASSWORD });
  t.equal(ends.status, 204);
  await refusedSoon(t, other, deleted.access_token, 'a deleted account');
}

async function roles(t: Test, { one, other, root }: Pair) {
  const ada = await newcomer(other);
  const url = `/v1/users/${claimsOf(ada.access_token).sub}`;
  await jsonOf(await one.as(root, 'PATCH', url, { roles: ['editor'] }));
  const { refresh_token } = ada;
  const editor = await other.tokens('/v1/refresh', { refresh_token });
  t.same(claimsOf(editor.access_token).roles, ['editor']);
  await jsonOf(await other.as(root, 'PATCH', url, { roles: [] }));
  await refusedSoon(t, one, editor.access_token, 'a removed role');
  const next = await one.tokens('/v1/refresh', { refresh_token: editor.refresh_token });
  t.same(claimsOf(next.access_token).roles, []);
  t.equal((await one.as(root, 'DELETE', `${url}/sessions`)).status, 204);
  await refusedSoon(t, other, next.access_token, 'ended by an administrator');
}

async function secondFactor(t: Test, { one, other, db }: Pair) {
  const { email, access_token } = await newcomer(one);
  // A second factor needs a confirmed address.
  await db.updateTable('users').set({ email_verified_at: 0 }).where('email', '=', email).execute();
  const begun = await one.as(access_token, 'POST', '/v1/me/mfa/totp', { password: PASSWORD });
  const { secret } = await jsonOf<{ secret: string }>(begun, 201);
  // A code of the step before must not become too old on its way.
  while (Date.now() % STEP > STEP - 5_000) await sleep(100);
  const now = Date.now();
  // Each step counts once, so the earlier one is first.
  const confirmed = await other.as(access_token, 'POST', '/v1/me/mfa/totp/confirm', {
    code: codeAt(secret, now, -1),
  });
  const { recovery_codes } = await jsonOf<{ recovery_codes: string[] }>(confirmed);
  const challenge = async (node: Node) =>
    jsonOf<{ mfa_token: string }>(await node.post('/v1/login', { email, password: PASSWORD }), 202);
  const { mfa_token } = await challenge(one);
  const wrong = await one.post('/v1/login/mfa', { mfa_token, code: wrongCode(secret, now) });
  t.equal(wrong.status, 401);
  await other.tokens('/v1/login/mfa', { mfa_token, code: codeAt(secret, now) });
  const code = await one.post('/v1/login/mfa', { mfa_token, code: codeAt(secret, now) });
  t.equal(code.status, 401, 'a challenge and a code are used up for both');
  const next = await challenge(other);
  const { refresh_token } = await one.tokens('/v1/login/mfa', {
    mfa_token: next.mfa_token,
    recovery_code: recovery_codes[0],
  });
  await other.tokens('/v1/refresh', { refresh_token });
}

async function serviceAccounts(t: Test, { one, other, root }: Pair) {
  const password = PASSWORD;
  const body = { name: 'deploy', roles: ['deploy'], password };
  const made = await one.as(root, 'POST', '/v1/service-accounts', body);
  interface Account {
    client_id: string;
    client_secret: string;
  }
  const first = await jsonOf<Account>(made, 201);
  const url = `/v1/service-accounts/${first.client_id}`;
  const renewed = await other.as(root, 'POST', `${url}/secret`, { password });
  const second = await jsonOf<Account>(renewed, 201);
  const tokenOf = (node: Node, { client_id, client_secret }: Account) =>
    node.form('/oauth/token', { grant_type: 'client_credentials', client_id, client_secret });
  const tokens: { by: Node; token: string }[] = [];
  for (const node of [one, other])
    for (const account of [first, second]) {
      const { access_token } = await jsonOf<Tokens>(await tokenOf(node, account));
      tokens.push({ by: node, token: access_token });
    }
  for (const { by, token } of tokens) {
    for (const reader of [one, other]) {
      // The one exception: `scope` is new, and the last release reads only the claims that it knows.
      const status = by.name === 'new' && reader.name === 'old' ? 401 : 200;
      t.equal(
        (await reader.whoami(token)).status,
        status,
        `by the ${by.name}, to the ${reader.name}`,
      );
    }
  }
  t.equal((await one.as(root, 'DELETE', url)).status, 204);
  for (const { token } of tokens) await refusedSoon(t, other, token, 'a deleted service account');
  t.equal((await tokenOf(other, second)).status, 401);
}

/** Guesses at known and unknown addresses count on both. */
async function guesses(t: Test, one: Node, other: Node) {
  const { email } = await newcomer(one);
  for (const address of [email, `nobody${count}@example.com`])
    for (const node of [one, other]) {
      const answer = await node.post('/v1/login', {
        email: address,
        password: 'a wrong guess, alas',
      });
      t.equal(answer.status, 401);
    }
  await other.tokens('/v1/login', { email, password: PASSWORD });
}

interface Pair {
  one: Node;
  other: Node;
  /** An administrator's access token. */
  root: string;
  db: Database;
}

async function rolls(t: Test, engine: Engine, source: string) {
  const url = await engine.create();
  const old = await node(t, { name: 'old', url, source });
  const root = { email: 'root@example.com', password: PASSWORD };
  await old.tokens('/v1/register', root);
  const db = opened(t, url);
  await db.updateTable('users').set({ roles: '["admin"]' }).execute();
  const stays = await newcomer(old);
  const fresh = await node(t, { name: 'new', url });

  const kept: Tokens[] = [stays];
  for (const [one, other] of [
    [old, fresh],
    [fresh, old],
  ] as const) {
    await t.test(`the ${one.name} node writes, the ${other.name} one reads`, async (t) => {
      const { access_token } = await one.tokens('/v1/login', root);
      const pair = { one, other, root: access_token, db };
      kept.push(await refreshes(t, one, other));
      await revocations(t, one, other);
      await roles(t, pair);
      await secondFactor(t, pair);
      await serviceAccounts(t, pair);
      await guesses(t, one, other);
    });
  }
  const decoys = await sql`select id from users where kind = 'decoy'`.execute(db);
  t.ok(decoys.rows.length > 0, 'there are rows of a kind that the old version does not know');
  await old.as((await old.tokens('/v1/login', root)).access_token, 'GET', '/v1/users');
  // The old node goes, as at the end of an upgrade, and nobody notices.
  old.child.kill('SIGTERM');
  t.match(await old.ended, { code: 0, stderr: '' });
  for (const { refresh_token } of kept) await fresh.tokens('/v1/refresh', { refresh_token });
  fresh.child.kill('SIGTERM');
  t.match(await fresh.ended, { code: 0, stderr: '' });
  for (const { name, stdout } of [old, fresh])
    t.same(
      stdout.filter((line) => /"level":[56]0|row_unreadable|reuse_detected/.test(line)),
      [],
      `the ${name} node complains about nothing`,
    );
}

for (const engine of [sqliteFile(t), await postgres(t)]) {
  t.test(`on ${engine.name} the last release and this version run side by side`, async (t) => {
    const source = lastRelease(t);
    if (source === undefined) {
      console.error('NOT RUN: this checkout does not have the commit of the last release');
      t.pass('the commit of the last release is not in this checkout: it was not run');
      return;
    }
    await rolls(t, engine, source);
  });

  t.test(`on ${engine.name} a node restarts after a newer version has migrated`, async (t) => {
    const url = await engine.create();
    const before = await node(t, { name: 'old', url });
    const { refresh_token } = await newcomer(before);
    const db = opened(t, url);
    await sql`alter table users add column newer text`.execute(db);
    await sql`insert into kysely_migration values ('099_newer_additive', '2030-01-01T00:00:00.000Z')`.execute(
      db,
    );
    const next = await before.tokens('/v1/refresh', { refresh_token });
    before.child.kill('SIGTERM');
    t.match(await before.ended, { code: 0 });
    const after = await node(t, { name: 'old', url });
    await after.tokens('/v1/refresh', { refresh_token: next.refresh_token });
    await newcomer(after);
  });
}
