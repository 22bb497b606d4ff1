import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import SQLite from 'better-sqlite3';
import { TOTP } from 'otpauth';
import t, { type Test } from 'tap';
import { nodeCommand } from './child.ts';
import { folder } from './databases.ts';
import { operations } from './operations.ts';
import { SoftAuthenticator } from './passkeys.ts';
import { basic } from './people.ts';
import { serve } from './server.ts';
import type { Tokens } from './test-app.ts';

const password = (name: string) => `${name} horse battery staple`;

/** Each text is asked of a route once, and is found nowhere else. */
let marks = 0;
const told: string[] = [];
function mark(kind: string): string {
  marks += 1;
  const text = `${kind}-${String(marks).padStart(3, '0')}q${(marks * 7_919).toString(36)}x`;
  told.push(text);
  return text;
}
const address = (kind: string) => `${mark(kind)}@example.com`;

/** Every text of which a row is made, but its id and words that all rows have. */
function textsOf(row: Record<string, unknown>): string[] {
  const texts: string[] = [];
  const collect = (value: unknown) =>
    JSON.stringify(value, (_key, member) => {
      if (typeof member === 'string' && member.length > 12) texts.push(member);
      return member;
    });
  for (const [column, value] of Object.entries(row)) {
    if (column === 'id' || typeof value !== 'string') continue;
    collect(/^[[{]/.test(value) ? JSON.parse(value) : value);
  }
  return texts;
}

/** As it would stand in a token or a mail: base64 at each of three places, without its ragged ends. */
const base64sOf = (text: string) =>
  [0, 1, 2].map((shift) =>
    Buffer.from('x'.repeat(shift) + text)
      .toString('base64url')
      .slice(shift === 0 ? 0 : 4, -4),
  );

async function command(t: Test, cwd: string, args: string[], input = ''): Promise<void> {
  const child = spawn(...nodeCommand([resolve('src/commands/latchkey.ts'), 'users', ...args]), {
    cwd,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  t.equal(code, 0, String(args[0]));
}

t.test(
  'DAT-04 of accounts that are deleted no byte stays: not in the database, nor beside it, nor in the log',
  async (t) => {
    const cwd = folder(t);
    const database = join(cwd, 'data', 'latchkey.db');
    const server = await serve(t, { cwd, env: { LOG_LEVEL: 'trace' } });
    const asked = new Set<string>();

    /** Asks as a client with a name of its own, and wants this status. */
    async function ask(
      operation: string,
      status: number,
      {
        body,
        token,
        id = '',
        headers = {},
      }: {
        body?: object;
        token?: string | undefined;
        id?: string;
        headers?: Record<string, string>;
      } = {},
    ) {
      asked.add(operation);
      const [method = '', path = ''] = operation.split(' ');
      const answer = await fetch(`${server.url}${path.replace('{id}', id)}`, {
        method,
        headers: {
          'user-agent': mark('agent'),
          ...(body && { 'content-type': 'application/json' }),
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...headers,
        },
        ...(body && { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      t.equal(answer.status, status, `${operation} ${text}`);
      collect();
      return (text === '' ? {} : JSON.parse(text)) as Tokens & Record<string, string>;
    }

    /** What stands in the rows by now: hashes, ciphertexts, ids of sessions. */
    const stored = new Set<string>();
    function collect() {
      const reader = new SQLite(database, { readonly: true });
      for (const row of reader
        .prepare("select * from users where email is not 'root@example.com'")
        .all())
        for (const text of textsOf(row as Record<string, unknown>)) stored.add(text);
      reader.close();
    }

    let letters = 0;
    /** The token in the newest letter to this address: the log of development has it. */
    async function letter(): Promise<string> {
      for (let waited = 0; waited < 10_000; waited += 20) {
        const links = server.stdout.flatMap((line) => /#token=([\w.-]+)/.exec(line)?.[1] ?? []);
        if (links.length > letters) {
          letters = links.length;
          return links.at(-1) as string;
        }
        await sleep(20);
      }
      throw new Error('no letter came');
    }

    await command(t, cwd, ['create', 'root@example.com', '--admin'], password('root'));
    const root = await server.tokens('/v1/login', {
      email: 'root@example.com',
      password: password('root'),
    });
    const admin = { token: root.access_token };

    const ada = { email: address('ada'), password: password(mark('secret')) };
    const first = await ask('POST /v1/register', 201, { body: { ...ada, name: mark('name') } });
    const { access_token: token } = first;
    // To confirm the address that was just signed up with; another will be.
    await letter();
    await ask('PATCH /v1/me', 200, { token, body: { name: mark('name') } });
    await ask('POST /v1/login', 401, { body: { ...ada, password: password(mark('wrong')) } });
    const second = await ask('POST /v1/login', 200, { body: ada });
    await ask('POST /v1/refresh', 200, {
      body: { refresh_token: second.refresh_token },
      headers: { 'idempotency-key': mark('attempt') },
    });
    await ask('DELETE /v1/me/sessions/{id}', 204, { token, id: second.session_id });
    const third = await ask('POST /v1/login', 200, { body: ada });
    await ask('POST /v1/logout', 204, { body: { refresh_token: third.refresh_token } });
    const moved = address('moved');
    await ask('PUT /v1/me/email', 202, { token, body: { email: moved, password: ada.password } });
    await ask('POST /v1/email/confirm', 204, { body: { token: await letter() } });
    ada.email = moved;
    await ask('POST /v1/password/forgot', 202, { body: { email: moved } });
    ada.password = password(mark('secret'));
    await ask('POST /v1/password/reset', 204, {
      body: { token: await letter(), password: ada.password },
    });
    const half = await ask('POST /v1/login/code', 202, { body: { email: moved } });
    await ask('POST /v1/login/code/verify', 401, {
      body: { code_token: half['code_token'], code: '00000000' },
    });
    const reset = await ask('POST /v1/login', 200, { body: ada });
    const next = password(mark('secret'));
    const changed = await ask('PUT /v1/me/password', 200, {
      token: reset.access_token,
      body: { current_password: ada.password, new_password: next },
    });
    ada.password = next;
    const mine = { token: changed.access_token };
    const factor = await ask('POST /v1/me/mfa/totp', 201, {
      ...mine,
      body: { password: ada.password },
    });
    told.push(String(factor['secret']));
    const code = () => new TOTP({ secret: String(factor['secret']) }).generate();
    await ask('POST /v1/me/mfa/totp/confirm', 200, { ...mine, body: { code: code() } });
    const passkey = new SoftAuthenticator();
    told.push(passkey.id);
    const { issuer } = (await (
      await fetch(`${server.url}/.well-known/oauth-authorization-server`)
    ).json()) as { issuer: string };
    const page = { origin: issuer, rpId: new URL(issuer).hostname };
    type Options = Parameters<SoftAuthenticator['create']>[0];
    const optionsOf = (answer: object) => (answer as { options: Options }).options;
    const made = optionsOf(await ask('POST /v1/me/passkeys/options', 200, { ...mine, body: {} }));
    const added = await ask('POST /v1/me/passkeys', 201, {
      ...mine,
      body: { passkey: passkey.create(made, page), name: mark('passkey') },
    });
    const own = { ...mine, id: String(added['id']) };
    await ask('PATCH /v1/me/passkeys/{id}', 200, { ...own, body: { name: mark('passkey') } });
    const wanted = optionsOf(await ask('POST /v1/login/passkey/options', 200, { body: {} }));
    await ask('POST /v1/login/passkey', 200, { body: { passkey: passkey.get(wanted, page) } });
    const unwanted = new SoftAuthenticator();
    told.push(unwanted.id);
    const more = optionsOf(await ask('POST /v1/me/passkeys/options', 200, { ...mine, body: {} }));
    const removed = await ask('POST /v1/me/passkeys', 201, {
      ...mine,
      body: { passkey: unwanted.create(more, page), name: mark('passkey') },
    });
    await ask('DELETE /v1/me/passkeys/{id}', 204, { ...mine, id: String(removed['id']) });
    const challenge = await ask('POST /v1/login', 202, { body: ada });
    await ask('POST /v1/login/mfa', 401, {
      body: { mfa_token: challenge['mfa_token'], code: '000000' },
    });

    await ask('POST /v1/register', 202, { body: { email: address('bob') } });
    const bob = await ask('POST /v1/register/complete', 201, {
      body: { token: await letter(), password: password(mark('secret')), name: mark('name') },
    });
    await ask('DELETE /v1/me/sessions', 204, { token: bob.access_token });
    const invited = await ask('POST /v1/users', 201, {
      ...admin,
      body: { email: address('eve'), name: mark('name'), roles: ['role-of-eve-alone'] },
    });
    told.push('role-of-eve-alone');
    await ask('POST /v1/password/reset', 204, {
      body: { token: await letter(), password: password(mark('secret')) },
    });
    const eve = { ...admin, id: invited['id'] as string };
    await ask('PATCH /v1/users/{id}', 200, {
      ...eve,
      body: { name: mark('name'), roles: [], claims: { plan: mark('claim') } },
    });
    await ask('DELETE /v1/users/{id}/sessions', 204, eve);
    const machine = await ask('POST /v1/service-accounts', 201, {
      ...admin,
      body: {
        name: mark('machine'),
        roles: ['role-of-the-machine', 'sessions:revoke'],
        password: password('root'),
      },
    });
    told.push('role-of-the-machine', String(machine['client_secret']));
    const client = { ...admin, id: String(machine['client_id']) };
    const granted = await fetch(`${server.url}/oauth/token`, {
      method: 'POST',
      headers: basic({ id: client.id, secret: String(machine['client_secret']) }),
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    const { access_token: revoking } = (await granted.json()) as Tokens;
    const body = { sub_id: { format: 'opaque', id: eve.id } };
    await ask('POST /v1/global-token-revocation', 204, { token: revoking, body });
    const renewed = await ask('POST /v1/service-accounts/{id}/secret', 201, {
      ...client,
      body: { password: password('root') },
    });
    told.push(String(renewed['client_secret']));
    const line = {
      email: address('imported'),
      name: mark('name'),
      roles: [],
      email_verified: true,
      identity_1: `https://provider.example.com|${mark('identity')}`,
    };
    writeFileSync(join(cwd, 'people.jsonl'), JSON.stringify(line));
    await command(t, cwd, ['import', 'people.jsonl']);
    collect();

    const { users } = (await ask('GET /v1/users', 200, admin)) as unknown as {
      users: { id: string; email: string }[];
    };
    await ask('DELETE /v1/service-accounts/{id}', 204, client);
    const others = users.filter(({ email }) => !['root@example.com', ada.email].includes(email));
    t.equal(others.length, 3);
    for (const { id } of others) await ask('DELETE /v1/users/{id}', 204, { ...admin, id });
    await ask('DELETE /v1/me', 204, { ...mine, body: { password: ada.password } });

    const writing = operations
      .filter(({ method, path }) => method !== 'GET' && path.startsWith('/v1/'))
      .map(({ method, path }) => `${method} ${path}`);
    const without = [
      // They take away, or give what the row has as a hash only.
      'DELETE /v1/me/mfa/totp',
      'POST /v1/me/mfa/recovery-codes',
      'DELETE /v1/users/{id}/mfa',
      'DELETE /v1/users/{id}/passkeys',
      'POST /v1/email/not-me',
      'POST /v1/me/verify',
      // They need a provider. What they store is in the imported row.
      ...writing.filter((operation) => /identities|id-token|\{provider\}/.test(operation)),
    ];
    t.same(
      writing.filter((operation) => !asked.has(operation) && !without.includes(operation)),
      [],
      'every route that stores anything was asked',
    );
    t.ok(stored.size > 10);

    const files = () => globSync('data/latchkey.db*', { cwd }).map((name) => join(cwd, name));
    /** Events name the session that they are about, and the roles that an administrator gave. */
    const isAudited = (text: string) => /^[\w-]{22}$|^role-of-|^sessions:revoke$/.test(text);
    function check(when: string) {
      const bytes = files()
        .map((file) => readFileSync(file, 'latin1'))
        .join('\n');
      const inDatabase = [...told, ...stored, ...told.flatMap(base64sOf)];
      const asBytes = (text: string) => Buffer.from(text).toString('latin1');
      t.same(
        inDatabase.filter((text) => bytes.includes(asBytes(text))),
        [],
        `${when}: the database`,
      );
      const log = server.stdout.join('\n');
      t.same(
        [...told, ...stored].filter((text) => log.includes(text) && !isAudited(text)),
        [],
        `${when}: the log`,
      );
    }
    t.ok(existsSync(`${database}-wal`), 'it runs');
    check('while it runs');
    server.child.kill('SIGTERM');
    t.match(await server.ended, { code: 0, stderr: '' });
    check('after its end');
    t.ok(readFileSync(database, 'latin1').includes('root@example.com'), 'who stays is there');

    // Letters are sent: what stands in them is their readers'. But no secret that is kept ever goes by mail.
    const mails = globSync('data/mail/*.eml', { cwd }).map((name) => join(cwd, name));
    t.ok(mails.length > 0);
    const text = mails.map((file) => readFileSync(file, 'utf8')).join('\n');
    const secrets = [...told, ...stored].filter((canary) =>
      /^(secret|wrong)-|\$argon2id/.test(canary),
    );
    t.ok(secrets.length > 5);
    t.same(
      secrets.filter((secret) => text.includes(secret)),
      [],
    );
    for (const file of [...mails, ...files()]) t.equal(statSync(file).mode & 0o777, 0o600, file);
    for (const name of ['data', 'data/mail'])
      t.equal(statSync(join(cwd, name)).mode & 0o777, 0o700, name);
  },
);
