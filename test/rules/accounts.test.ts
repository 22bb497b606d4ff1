import t from 'tap';
import { newUserId } from '../../src/parts/ids.ts';
import { emailKey, newPerson, withoutPersonalData } from '../../src/rules/accounts.ts';
import { profileOf } from '../../src/rules/views.ts';
import { User } from '../../src/schemas/user.ts';
import { ada, NOW } from './samples.ts';

t.test('different spellings of one address have the same key', async (t) => {
  for (const email of [
    'ada@example.com',
    ' Ada@Example.COM\t',
    'ＡＤＡ@example.com',
    'ADA@EXAMPLE.COM',
  ]) {
    t.equal(emailKey(email), 'ada@example.com');
  }
  t.equal(emailKey('ELKE\u{212a}@example.com'), 'elkek@example.com');
  t.equal(emailKey('Zoe\u0308@example.com'), emailKey('zo\u00eb@example.com'));
});

t.test('different addresses keep different keys', async (t) => {
  for (const email of [
    'ada+news@example.com',
    'a.da@example.com',
    'adа@example.com',
    'ada@example.org',
  ]) {
    t.not(emailKey(email), 'ada@example.com');
  }
});

t.test('the key of a key is the same key', async (t) => {
  for (let point = 0; point <= 0x2ffff; point += 1) {
    if (point >= 0xd800 && point <= 0xdfff) continue;
    const key = emailKey(`x${String.fromCodePoint(point)}x`);
    if (emailKey(key) !== key) t.fail(point.toString(16));
  }
});

t.test('a new person has no role, no session and no confirmed address', async (t) => {
  const person = newPerson(
    { id: newUserId(NOW), email: 'Ada@Example.com', name: null, passwordHash: 'hash' },
    NOW,
  );
  t.same(User.parse(person), person);
  t.match(person, {
    kind: 'person',
    email: 'Ada@Example.com',
    email_key: 'ada@example.com',
    email_verified_at: null,
    name: null,
    password_hash: 'hash',
    roles: [],
    status: 'active',
    token_version: 0,
    sessions: [],
    throttle: [],
    mfa: { challenges: [] },
    revoked_at: null,
    row_version: 0,
    created_at: NOW,
    updated_at: NOW,
    last_login_at: null,
    claims: {},
  });
});

t.test('the row of a deleted user keeps only what is needed to refuse the tokens', async (t) => {
  const user = ada({
    roles: ['admin'],
    email_verified_at: NOW,
    claimed_at: NOW,
    devices_since: NOW,
    last_login_at: NOW,
    claims: { plan: 'pro' },
    token_version: 4,
    reset_letters: 2,
    identity_1: 'https://id.example.com|ada',
    used_nonces: [{ id: 'nonce', until: NOW }],
    row_version: 9,
    throttle: [{ key: 'password all', failures: 1, failed_at: NOW, pending: [] }],
    mfa: { totp: { secret: 'sealed', last_step: 0 }, challenges: [] },
    sessions: [
      {
        id: 'session',
        gen: 0,
        created_at: NOW,
        rotated_at: NOW,
        expires_at: NOW,
        amr: ['pwd'],
        transport: 'body',
        client: 'a browser',
      },
    ],
  });
  const empty = withoutPersonalData(user, NOW + 5);
  t.same(User.parse(empty), empty);
  const { id, kind, created_at, row_version } = user;
  t.same(empty, {
    id,
    kind,
    created_at,
    row_version,
    email: null,
    email_key: null,
    email_verified_at: null,
    passkeys: [],
    mail_codes: { counter: 0, tried: [] },
    identity_1: null,
    identity_2: null,
    identity_3: null,
    identity_4: null,
    used_nonces: [],
    claimed_at: null,
    devices_since: null,
    name: null,
    password_hash: null,
    secret_hashes: null,
    roles: [],
    status: 'deleted',
    token_version: 5,
    access_version: 5,
    reset_letters: 0,
    sessions: [],
    throttle: [],
    mfa: { challenges: [] },
    revoked_at: NOW + 5,
    updated_at: NOW + 5,
    last_login_at: null,
    claims: {},
  });
});

t.test("a profile shows the user's data, and no secret", async (t) => {
  t.same(profileOf(ada({ id: 'id' })), {
    id: 'id',
    email: 'ada@example.com',
    email_verified: false,
    name: 'Ada',
    roles: [],
    password: true,
    mfa: false,
    recovery_codes: 0,
    created_at: '2026-11-23T18:00:00.000Z',
    last_login_at: null,
  });
  t.match(profileOf(ada({ email_verified_at: NOW, last_login_at: NOW + 1, email: null })), {
    email: '',
    email_verified: true,
    last_login_at: '2026-11-23T18:00:00.001Z',
  });
});
