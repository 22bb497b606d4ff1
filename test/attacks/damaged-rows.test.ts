import t, { type Test } from 'tap';
import { readKeySet } from '../../src/parts/keys/key-set.ts';
import { newMasterSecret, newSigningKey } from '../../src/parts/keys/new-keys.ts';
import type { User } from '../../src/schemas/user.ts';
import { withFactor } from '../authenticator.ts';
import { basic, form, PASSWORD_HASH, serviceAccount, signedIn } from '../people.ts';
import { refused } from '../refused.ts';
import { keySet, PASSWORD, testApp } from '../test-app.ts';

const app = await testApp(t);
const { as, post, login, context, clock, logs } = app;

const rowOf = async (email: string) => (await context.users.findByEmail(email)) as User;
const write = (id: string, next: (user: User) => Partial<User>) =>
  context.users.change(id, (user) => ({ user: { ...user, ...next(user) }, result: undefined }));

/** The log lines about this row while `act` runs. */
async function toldOf(id: string, act: () => Promise<unknown>) {
  const before = logs.length;
  await act();
  return logs
    .slice(before)
    .filter(({ level, msg }) => Number(level) >= 50 && msg !== 'request')
    .filter((line) => JSON.stringify(line).includes(id));
}

/** Asserts a 503 with `Retry-After` that does not say what is wrong. */
function isUnavailable(t: Test, answer: Awaited<ReturnType<typeof login>>) {
  const { detail } = refused(t, answer, 503, 'unavailable');
  t.equal(answer.headers['retry-after'], '1');
  t.notMatch(detail, /TOTP|recovery|master/);
}

t.test(
  'a hash that would take minutes gets the answer of a wrong password, and is logged once',
  async (t) => {
    const { id } = await signedIn(app, 'costly@example.com');
    const unknown = await login('nobody@example.com');
    for (const costs of ['m=19456,t=4294967295,p=1', 'm=2097152,t=2,p=1', 'm=x,t=2,p=1']) {
      const password_hash = PASSWORD_HASH.replace(/m=[^$]*/, costs);
      await write(id, () => ({ password_hash }));
      const first = costs.includes('4294967295');
      const told = await toldOf(id, async () => {
        for (let turn = 0; turn < 2; turn += 1) {
          const answer = await login('costly@example.com');
          const problem = refused(t, answer, 401, 'invalid_credentials');
          t.equal(problem.detail, unknown.json().detail, 'the same as for an unknown address');
        }
      });
      t.equal(told.length, first ? 1 : 0, 'once for the row');
      if (first)
        t.match(told[0], { event: 'storage.row_unreadable', user: id, msg: /password_hash/ });
      await write(id, () => ({ throttle: [] }));
    }
    t.notMatch(JSON.stringify(logs), /argon2id/, 'the log does not contain the hash');
  },
);

t.test('a signed-in user with such a hash cannot prove the password', async (t) => {
  const password_hash = PASSWORD_HASH.replace('t=2', 't=4294967295');
  const { access_token } = await signedIn(app, 'inside@example.com', { password_hash });
  const answer = await as(access_token, {
    method: 'DELETE',
    url: '/v1/me',
    payload: { password: PASSWORD },
  });
  refused(t, answer, 403, 'wrong_password');
});

t.test('an invited user has no hash, and the log has no line about it', async (t) => {
  const { id } = await signedIn(app, 'invited@example.com', { password_hash: null });
  const told = await toldOf(id, async () => {
    refused(t, await login('invited@example.com'), 401, 'invalid_credentials');
  });
  t.same(told, []);
});

t.test('a TOTP secret that cannot be decrypted gets 503, and the log names the row', async (t) => {
  const email = 'factor@example.com';
  const { tokens, code, recoveryCodes } = await withFactor(t, app, email);
  const { id, mfa } = await rowOf(email);
  const sound = mfa.totp as NonNullable<User['mfa']['totp']>;
  const other = await withFactor(t, app, 'other@example.com');
  const others = (await rowOf('other@example.com')).mfa.totp;
  const [kid = '', nonce = '', text = ''] = sound.secret.split('.');
  const challenge = async () => (await login(email)).json<{ mfa_token: string }>().mfa_token;
  for (const [secret, what] of [
    [others?.secret as string, /damaged or of another row/],
    [`${kid}.${nonce}.${text.slice(0, -4)}AAAA`, /damaged or of another row/],
    [`${kid}.${nonce}`, /damaged or of another row/],
    [`${kid}..${text}`, /damaged or of another row/],
    ['', /master secret/],
    [`gone.${nonce}.${text}`, /master secret gone/],
  ] as const) {
    await write(id, (user) => ({ mfa: { ...user.mfa, totp: { ...sound, secret } } }));
    const before = (await rowOf(email)).sessions.length;
    const told = await toldOf(id, async () => {
      isUnavailable(t, await post('/v1/login/mfa', { mfa_token: await challenge(), code: code() }));
    });
    t.equal(told.length, 1, 'one line');
    t.match(told[0], { err: { message: what } });
    if (secret !== '')
      t.notOk(
        JSON.stringify(told).includes(text.slice(0, 20)),
        'the log does not contain the value',
      );
    t.equal((await rowOf(email)).sessions.length, before, 'no session was started');
    const remove = { method: 'DELETE', url: '/v1/me/mfa/totp' } as const;
    const payload = { password: PASSWORD, code: code() };
    isUnavailable(t, await as(tokens.access_token, { ...remove, payload }));
  }
  const healed = await as(tokens.access_token, {
    method: 'DELETE',
    url: '/v1/me/mfa/totp',
    payload: { password: PASSWORD, recovery_code: recoveryCodes[0] },
  });
  t.equal(healed.statusCode, 204, 'a recovery code removes it');
  t.equal((await login('other@example.com')).statusCode, 202);
  const answer = await post('/v1/login/mfa', {
    mfa_token: (await login('other@example.com')).json().mfa_token,
    code: other.code(),
  });
  t.equal(answer.statusCode, 200, 'other users are not affected');
});

t.test('a pending secret that cannot be decrypted gets 503, and can be replaced', async (t) => {
  const { access_token, id } = await signedIn(app, 'pending@example.com');
  const begin = () =>
    as(access_token, {
      method: 'POST',
      url: '/v1/me/mfa/totp',
      payload: { password: PASSWORD },
    });
  await begin();
  await write(id, (user) => ({
    mfa: { ...user.mfa, pending: { secret: 'gone.x.y', last_step: 0 } },
  }));
  const confirm = { method: 'POST', url: '/v1/me/mfa/totp/confirm' } as const;
  const payload = { code: '123456' };
  isUnavailable(t, await as(access_token, { ...confirm, payload }));
  t.equal((await begin()).statusCode, 201);
  refused(
    t,
    await as(access_token, { ...confirm, payload: { code: '000000' } }),
    403,
    'wrong_code',
  );
});

t.test(
  'recovery codes with an impossible cost or salt get 503, and TOTP codes still work',
  async (t) => {
    const email = 'recovery@example.com';
    const { tokens, code, recoveryCodes } = await withFactor(t, app, email);
    const { id, mfa } = await rowOf(email);
    const sound = mfa.recovery as NonNullable<User['mfa']['recovery']>;
    for (const bad of [
      { cost: { memory: 2_097_152, passes: 4_294_967_295 } },
      { cost: { memory: 19_456, passes: 4_294_967_295 } },
      { cost: { memory: 1, passes: 1 } },
      { cost: { memory: 19_456, passes: 0 } },
      { cost: { memory: -19_456, passes: -2 } },
      { salt: '' },
      { salt: 'x' },
    ]) {
      await write(id, (user) => ({ mfa: { ...user.mfa, recovery: { ...sound, ...bad } } }));
      const { mfa_token } = (await login(email)).json();
      const told = await toldOf(id, async () => {
        const proof = { mfa_token, recovery_code: recoveryCodes[0] };
        isUnavailable(t, await post('/v1/login/mfa', proof));
      });
      t.match(told[0], { err: { message: /mfa\.recovery/ } }, JSON.stringify(bad));
      t.equal((await post('/v1/login/mfa', { mfa_token, code: code() })).statusCode, 200);
    }
    const renewed = await as(tokens.access_token, {
      method: 'POST',
      url: '/v1/me/mfa/recovery-codes',
      payload: { password: PASSWORD, code: code() },
    });
    t.equal(renewed.statusCode, 200, 'a new set repairs it');
    const { mfa_token } = (await login(email)).json();
    const [recovery_code] = renewed.json().recovery_codes;
    t.equal((await post('/v1/login/mfa', { mfa_token, recovery_code })).statusCode, 200);
  },
);

t.test(
  'a damaged hash of a client secret never matches, and the other secret still works',
  async (t) => {
    const client = await serviceAccount(app);
    const { secret_hashes } = (await context.users.findById(client.id)) as User;
    const [sound] = secret_hashes as [string];
    const token = () =>
      form(app, '/oauth/token', { grant_type: 'client_credentials' }, basic(client));
    for (const [hashes, status] of [
      [[sound.slice(0, -1)], 401],
      [[`${sound}x`], 401],
      [['odd', sound], 200],
    ] as [string[], number][]) {
      await write(client.id, () => ({ secret_hashes: hashes }));
      t.equal((await token()).statusCode, status, String(hashes).replace(sound, 'SOUND'));
    }
    const told = logs.filter(
      ({ event, user }) => event === 'storage.row_unreadable' && user === client.id,
    );
    t.equal(told.length, 1);
  },
);

t.test('a time that no clock can show gets 503, not 500', async (t) => {
  for (const last_login_at of [8_640_000_000_000_001, -1]) {
    const { access_token, id } = await signedIn(app, `when${last_login_at}@example.com`);
    await write(id, () => ({ last_login_at }));
    isUnavailable(t, await as(access_token, { url: '/v1/me' }));
  }
});

t.test('without its master secret, a TOTP secret gets 503 on that row only', async (t) => {
  const [signing, first, next] = [
    newSigningKey('ES256', 0),
    newMasterSecret(0),
    newMasterSecret(clock.now / 1_000),
  ];
  const other = await testApp(t, { env: { SIGNING_KEYS: keySet(signing, first) }, clock });
  const { code } = await withFactor(t, other, 'ada@example.com');
  await other.context.keys.replace(readKeySet(keySet(signing, next)), clock.now);
  const { mfa_token } = (await other.login('ada@example.com')).json();
  isUnavailable(t, await other.post('/v1/login/mfa', { mfa_token, code: code() }));
  await withFactor(t, other, 'bob@example.com');
  t.equal((await other.login('bob@example.com')).statusCode, 202);
});
