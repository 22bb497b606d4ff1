import t from 'tap';
import { accountRows, opened } from '../databases.ts';
import { hostile, nameOf, operations, payloadOf, urlOf } from '../operations.ts';
import { admin, proveMailbox, serviceAccount, signedIn } from '../people.ts';
import { PASSWORD, testApp } from '../test-app.ts';

const db = opened(t, 'file::memory:');
const app = await testApp(t, { database: db, pace: 'real' });
const root = await admin(app);
const bearer = { authorization: `Bearer ${root.access_token}` };
// Wrong passwords are counted, which is not the subject here.
const rows = async () =>
  (await accountRows(db)).map((row) => ({ ...row, throttle: '', row_version: 0, updated_at: 0 }));

const NAUGHTY = [
  "' or '1'='1",
  "'; drop table users; --",
  '" or ""="',
  "admin'--",
  "' union select password_hash from users--",
  '1; update users set roles=\'["admin"]\'',
  "\\'; select pg_sleep(5); --",
  '%',
  '_',
  '%27%20or%201=1',
  '#{7*7}{{7*7}}<%= 7*7 %>#{7*7}',
  '$(sleep 5)`sleep 5`|sleep 5&',
  '../../../etc/passwd',
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  'javascript:alert(1)',
  '{"$gt":""}',
  '[object Object]',
  'undefined',
  'null',
  'NaN',
  '-1e1000',
  '999999999999999999999',
  '0x0',
  'Ω≈ç√∫˜µ≤≥÷',
  '田中さんにあげて下さい',
  '👩🏽‍🚀🏳️‍🌈',
  'مُنَاقَشَةُ',
  'Z̮̞̠͙͔ͅḀ̗̞͈̻̗Ḷ͙͎̯̹̞͓G̻O̭̗̮',
  '\ufeff',
  '\u200c\u200d',
  'ﬀ'.repeat(50),
  '%s%n%x%d',
  'hello\\0world',
  'con nul aux',
];

t.test(
  'DAT-01 a hostile string in a field, a path or a query gets the answer of a harmless one',
  async (t) => {
    const before = await rows();
    let count = 0;
    const send = async (operation: (typeof operations)[number], where: string, text: string) => {
      const values = where.startsWith('/') ? { [where.slice(1)]: text } : {};
      // A new address each time, so that earlier failures do not throttle the request.
      await db.updateTable('users').set({ throttle: '[]' }).execute();
      count += 1;
      const email = `nobody${count}@example.com`;
      const others = { ...('email' in operation.fields && { email }), password: 'wrong' };

      const query = where.startsWith('?') ? `?${where.slice(1)}=${encodeURIComponent(text)}` : '';
      const { statusCode } = await hostile(
        t,
        app,
        {
          method: operation.method,
          url: urlOf(operation, where === 'path' ? text : 'nobody') + query,
          ...(operation.type && {
            payload: payloadOf(operation, { ...others, ...values }),
          }),
          headers: {
            ...(operation.type && { 'content-type': operation.type }),
            ...(operation.bearer && bearer),
          },
        },
        `${nameOf(operation)} ${where} ${text.slice(0, 30)}`,
      );
      return statusCode;
    };
    /** These store their input for any address; the tests below check what they store. */
    const keeps = new Set([
      'POST /v1/service-accounts',
      'PATCH /v1/me',
      'POST /v1/users',
      'DELETE /v1/me/sessions',
    ]);
    for (const operation of operations.filter((o) => !keeps.has(nameOf(o)))) {
      const members = Object.entries(operation.fields).filter(
        ([name, { type, enum: choices }]) =>
          type === 'string' && choices === undefined && name !== 'recovery_code',
      );
      const places = [
        ...members.map(([name]) => `/${name}`),
        ...operation.query.map((name) => `?${name}`),
        ...(operation.path.includes('{') ? ['path'] : []),
      ];
      for (const place of places.filter((name) => name !== '/password' || operation.bearer)) {
        const harmless = await send(operation, place, 'harmless');
        // A name of only invisible characters is empty.
        const strings = NAUGHTY.filter((text) => place !== '/name' || text.trim() !== '');
        for (const text of strings)
          t.equal(
            await send(operation, place, text),
            harmless,
            `${nameOf(operation)} ${place} ${text}`,
          );
      }
    }
    t.same(await rows(), before);
  },
);

t.test('DAT-01 text is stored unchanged, and only the same text finds it', async (t) => {
  for (const [index, text] of NAUGHTY.entries()) {
    const name = text.trim().normalize();
    if (name === '' || name.length > 100) continue;
    const { id, access_token } = await signedIn(app, `user${index}@example.com`);
    const answer = await app.as(access_token, {
      method: 'PATCH',
      url: '/v1/me',
      payload: { name },
    });
    t.equal(answer.statusCode, 200, name);
    t.equal((await app.context.users.findById(id))?.name, name);
  }
  for (const email of ['%', '_', "'", '\\', 'user_@', 'user%@']) {
    const url = `/v1/users?email=${encodeURIComponent(email)}`;
    const { users } = (await app.as(root.access_token, { url })).json();
    t.same(users, [], email);
  }
});

t.test('DAT-03 a copy of the whole table opens nothing and contains no secret', async (t) => {
  const { refresh_token, access_token, device_token } = await app.signUp('ada@example.com');
  const client = await serviceAccount(app);
  await proveMailbox(app, 'ada@example.com');
  const enrolment = await app.as(access_token, {
    method: 'POST',
    url: '/v1/me/mfa/totp',
    payload: { password: PASSWORD },
  });
  const { secret } = enrolment.json<{ secret: string }>();
  const dump = await rows();
  const text = JSON.stringify(dump);
  for (const known of [
    PASSWORD,
    secret,
    client.secret,
    refresh_token,
    access_token,
    device_token,
  ]) {
    t.notOk(text.includes(known));
    t.notOk(text.includes(known.split('.').at(-1) as string));
  }
  t.notMatch(text, /eyJ[\w-]+\./, 'no token of any kind');
  const ada = dump.find(({ email }) => email === 'ada@example.com');
  t.match(ada?.password_hash, /^\$argon2id\$v=19\$m=19456,p=1,t=2\$/);
  // Tries every string of the table at every sign-in and every token.
  const strings = [...new Set(text.match(/[\w$+/=,.:-]{8,}/g))];
  t.ok(strings.length > 20);
  for (const stolen of strings) {
    for (const [url, payload] of [
      ['/v1/refresh', { refresh_token: stolen }],
      ['/v1/login/mfa', { mfa_token: stolen, code: '000000' }],
      ['/v1/password/reset', { token: stolen, password: PASSWORD }],
      ['/v1/email/confirm', { token: stolen }],
      ['/v1/register/complete', { token: stolen, password: PASSWORD }],
    ] as const) {
      const { statusCode } = await app.post(url, payload);
      t.ok(statusCode === 401 || statusCode === 400, `${url}: ${statusCode}`);
    }
    t.equal((await app.as(stolen, { url: '/v1/whoami' })).statusCode, 401);
    const basic = `Basic ${Buffer.from(`${client.id}:${stolen}`).toString('base64')}`;
    const granted = await app.inject({
      method: 'POST',
      url: '/oauth/token',
      headers: { authorization: basic, 'content-type': 'application/x-www-form-urlencoded' },
      payload: 'grant_type=client_credentials',
    });
    t.equal(granted.statusCode, 401);
  }
  const hash = String(ada?.password_hash);
  t.equal(
    (await app.login('ada@example.com', hash)).statusCode,
    401,
    'a hash does not work as a password',
  );
});
