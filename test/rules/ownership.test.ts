import t from 'tap';
import { unlinkedMark } from '../../src/rules/factors/provider.ts';
import {
  deviceIssuedAt,
  hasBeenEntered,
  isDeviceOfOwner,
  withMailboxHolder,
  withMailboxProven,
} from '../../src/rules/ownership.ts';
import type { User } from '../../src/schemas/user.ts';
import { ada, NOW } from './samples.ts';

const mfa: User['mfa'] = { totp: { secret: 'sealed', last_step: 4 }, challenges: [] };

t.test(
  'the holder of the mailbox takes an unclaimed account over, without its factors',
  async (t) => {
    const later = NOW + 5;
    const identity_2 = 'https://id.example.com|stranger';
    t.match(withMailboxHolder(ada({ mfa, identity_2 }), later), {
      mfa: { totp: undefined },
      identity_2: null,
      email_verified_at: later,
      claimed_at: later,
      devices_since: later,
    });
    const confirmed = ada({ mfa, email_verified_at: NOW, claimed_at: 0 });
    t.match(withMailboxHolder(confirmed, later), {
      mfa: { totp: undefined },
      email_verified_at: NOW,
      claimed_at: later,
    });
    for (const claimed_at of [null, NOW]) {
      const own = ada({ mfa, identity_2, email_verified_at: NOW, claimed_at });
      t.same(withMailboxHolder(own, later), own, 'a reset keeps the factors of the owner');
    }
  },
);

t.test('a code by mail removes the password too, unless the account is its owner’s', async (t) => {
  for (const unclaimed of [ada({ mfa }), ada({ mfa, email_verified_at: NOW, claimed_at: 0 })])
    t.match(withMailboxProven(unclaimed, { now: NOW + 5, isDevice: false }), {
      password_hash: null,
      mfa: { totp: undefined },
      claimed_at: NOW + 5,
      token_version: 1,
      revoked_at: NOW + 5,
    });
  const own = ada({ mfa, email_verified_at: NOW });
  for (const isDevice of [true, false])
    t.equal(withMailboxProven(own, { now: NOW + 5, isDevice }), own);
});

t.test('on a device of the account, the user is the owner and keeps everything', async (t) => {
  for (const email_verified_at of [null, NOW]) {
    const user = ada({ mfa, email_verified_at, claimed_at: 0 });
    t.same(withMailboxProven(user, { now: NOW + 5, isDevice: true }), {
      ...user,
      email_verified_at: email_verified_at ?? NOW + 5,
      claimed_at: NOW + 5,
    });
  }
});

t.test('an account that was only invited has had nobody in it', async (t) => {
  const invited = ada({ password_hash: null });
  t.notOk(hasBeenEntered(invited));
  t.notOk(hasBeenEntered({ ...invited, identity_1: unlinkedMark(invited) }));
  t.ok(hasBeenEntered(ada()));
  const identity_4 = 'https://id.example.com|stranger';
  for (const used of [{ identity_4 }, { passkeys: [{}] }, { sessions: [{}] }])
    t.ok(hasBeenEntered({ ...invited, ...(used as Partial<User>) }));
});

t.test('older device tokens are not those of the owner', async (t) => {
  t.ok(isDeviceOfOwner(ada(), 0));
  const since = ada({ devices_since: NOW + 999 });
  const second = NOW / 1_000;
  for (const user of [since, { ...since, claimed_at: 0 }]) {
    t.notOk(isDeviceOfOwner(user, second - 1), 'also after a move to another address');
    t.notOk(isDeviceOfOwner(user, second), 'the same second, before or after');
    t.ok(isDeviceOfOwner(user, second + 1));
  }
});

t.test('a device token of the owner is one, also in the second of the take-over', async (t) => {
  const second = NOW / 1_000;
  t.equal(deviceIssuedAt(ada(), NOW + 999), second);
  for (const since of [NOW, NOW + 999]) {
    const user = ada({ devices_since: since });
    for (const now of [since, NOW + 999, NOW + 1_000, NOW + 1_999])
      t.equal(deviceIssuedAt(user, now), second + 1);
    t.equal(deviceIssuedAt(user, NOW + 2_000), second + 2);
    t.ok(isDeviceOfOwner(user, deviceIssuedAt(user, since)));
  }
});
