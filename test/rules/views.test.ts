import t from 'tap';
import { accountView, serviceAccountView, sessionView, userView } from '../../src/rules/views.ts';
import type { Session } from '../../src/schemas/user.ts';
import { storedPasskey } from '../passkeys.ts';
import { ada, DAY, NOW } from './samples.ts';

const session = (id: string, changes: Partial<Session> = {}): Session => ({
  id,
  gen: 3,
  created_at: NOW,
  rotated_at: NOW + 1_000,
  expires_at: NOW + DAY,
  amr: ['pwd', 'otp', 'mfa'],
  transport: 'cookie',
  client: 'a browser',
  attempt: 'fingerprint',
  ...changes,
});

t.test('an administrator sees the state of an account, and no secret of it', async (t) => {
  const user = ada({
    id: 'id',
    name: null,
    roles: ['editor'],
    status: 'disabled',
    email_verified_at: NOW,
    updated_at: NOW + 2_000,
    claims: { plan: 'pro' },
    mfa: {
      totp: { secret: 'sealed', last_step: 4 },
      recovery: { salt: 'salt', cost: { memory: 19_456, passes: 2 }, hashes: ['hash'] },
      challenges: [{ id: 'challenge', tries: 1, until: NOW + DAY }],
    },
    passkeys: [storedPasskey('credential')],
    sessions: [
      session('live'),
      session('ended', { ended_at: NOW }),
      session('expired', { expires_at: NOW + 3_000 }),
    ],
  });
  t.same(userView(user, { now: NOW + 3_000, providers: ['Google'] }), {
    id: 'id',
    email: 'ada@example.com',
    email_verified: true,
    name: null,
    roles: ['editor'],
    created_at: '2026-11-23T18:00:00.000Z',
    last_login_at: null,
    status: 'disabled',
    mfa: true,
    sessions: 1,
    updated_at: '2026-11-23T18:00:02.000Z',
    claims: { plan: 'pro' },
    password: true,
    passkeys: 1,
    providers: ['Google'],
  });
  const invited = userView(ada({ password_hash: null }), { now: NOW, providers: [] });
  t.match(invited, { password: false, passkeys: 0, providers: [] });
  t.match(accountView(ada(), NOW), { status: 'active', mfa: false, sessions: 0 });
});

t.test('a pending second factor does not count as one', async (t) => {
  const pending = { secret: 'sealed', last_step: 0 };
  t.equal(accountView(ada({ mfa: { pending, challenges: [] } }), NOW).mfa, false);
});

t.test('a list of sessions tells devices apart, without the data that checks tokens', async (t) => {
  const view = {
    id: 'one',
    client: 'a browser',
    transport: 'cookie',
    amr: ['pwd', 'otp', 'mfa'],
    created_at: '2026-11-23T18:00:00.000Z',
    refreshed_at: '2026-11-23T18:00:01.000Z',
    expires_at: '2026-11-24T18:00:00.000Z',
    current: true,
  };
  t.same(sessionView(session('one'), 'one'), view);
  t.same(sessionView(session('one'), 'two'), { ...view, current: false });
});

t.test('a service account is shown without its secrets', async (t) => {
  const account = ada({ id: 'id', name: 'nightly', roles: ['reports:read'], kind: 'service' });
  t.same(serviceAccountView(account), {
    client_id: 'id',
    name: 'nightly',
    roles: ['reports:read'],
    claims: {},
    created_at: '2026-11-23T18:00:00.000Z',
  });
  t.equal(serviceAccountView({ ...account, name: null }).name, '');
});
