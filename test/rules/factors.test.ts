import { globSync } from 'node:fs';
import { basename } from 'node:path';
import t from 'tap';
import { type Proof, readyFactors } from '../../src/actions/factors/factors.ts';
import { EVERY_FACTOR, FACTORS, type FactorKind } from '../../src/rules/factors/factors.ts';
import { unlinkedMark, withoutIdentities } from '../../src/rules/factors/provider.ts';
import { hasBeenEntered, withMailboxHolder } from '../../src/rules/ownership.ts';
import { Refusal } from '../../src/rules/refusal.ts';
import { hasSecondFactor, withoutSecondFactor } from '../../src/rules/second-factor.ts';
import { profileOf, userView } from '../../src/rules/views.ts';
import { assertWayIn } from '../../src/rules/ways-in.ts';
import type { User } from '../../src/schemas/user.ts';
import { storedPasskey } from '../passkeys.ts';
import { ada, NOW } from './samples.ts';

const none = ada({ password_hash: null });
const totp = { secret: 'sealed', last_step: 4 };
const recovery = { salt: 'salt', cost: { memory: 19_456, passes: 2 }, hashes: ['1', '2'] };
const issuers = new Map([['3', 'https://id.example.com']]);

/** What the rules say of a user who has only this. */
interface Seen {
  only: Partial<User>;
  count?: number;
  isSecondFactor?: true;
  /** Whether it is a way in besides the code by mail. */
  isWayIn?: true;
  /** Whether it can be proven after the first step. */
  isReady?: true;
}

/** Each kind, so that `tsc` asks for a new one here too. */
const SEEN: Record<FactorKind, Seen> = {
  password: { only: { password_hash: '$argon2id$none' }, count: 1, isWayIn: true },
  totp: { only: { mfa: { totp, challenges: [] } }, count: 1, isSecondFactor: true, isReady: true },
  recovery_code: { only: { mfa: { recovery, challenges: [] } } },
  passkey: {
    only: { passkeys: [storedPasskey('phone'), storedPasskey('key')] },
    count: 2,
    isWayIn: true,
    isReady: true,
  },
  mail_code: { only: {} },
  provider: { only: { identity_3: 'https://id.example.com|ada' }, count: 1, isWayIn: true },
};
const kinds = Object.entries(SEEN) as [FactorKind, Seen][];

for (const [kind, { only, count = 0, isSecondFactor, isWayIn, isReady }] of kinds) {
  t.test(`what the rules see of a user who has only this: ${kind}`, async (t) => {
    const user = { ...none, ...only };
    t.equal(FACTORS[kind].count(user), count);
    t.equal(hasSecondFactor(user), isSecondFactor === true);
    t.equal(hasBeenEntered(user), isWayIn === true);
    if (isWayIn) t.doesNotThrow(() => assertWayIn(user, issuers));
    else t.throws(() => assertWayIn(user, issuers), new Refusal('last_way_in'));
    t.same(readyFactors(user), isReady ? [kind] : []);
    t.equal(profileOf(user).password, kind === 'password');
    t.match(userView(user, { now: NOW, providers: [] }), {
      mfa: isSecondFactor === true,
      passkeys: kind === 'passkey' ? 2 : 0,
      password: kind === 'password',
    });
    t.same(FACTORS[kind].without(user), none);
    t.same(withMailboxHolder(user, NOW), {
      ...none,
      email_verified_at: NOW,
      claimed_at: NOW,
      devices_since: NOW,
    });
    t.same(withoutSecondFactor(user), 'mfa' in only ? none : user);
  });
}

t.test('recovery codes count while there is an authenticator app', async (t) => {
  const user = ada({ mfa: { totp, recovery, challenges: [] } });
  t.equal(FACTORS.recovery_code.count(user), 2);
  t.same(readyFactors(user), ['totp', 'recovery_code']);
  t.same(FACTORS.recovery_code.without(user), ada({ id: user.id, mfa: { totp, challenges: [] } }));
  t.same(FACTORS.totp.without(user), { ...user, mfa: { challenges: [] } });
});

t.test('a provider that is not configured, or is in another slot now, is no way in', async (t) => {
  const linked = { ...none, ...SEEN.provider.only };
  for (const others of [new Map(), new Map([['1', 'https://id.example.com']])]) {
    t.equal(FACTORS.provider.count(linked, others), 0);
    t.throws(() => assertWayIn(linked, others), new Refusal('last_way_in'));
  }
  const unlinked = withoutIdentities(linked);
  t.equal(unlinked.identity_3, unlinkedMark(none));
  t.equal(FACTORS.provider.count(unlinked), 0);
  t.notOk(hasBeenEntered(unlinked));
  t.same(FACTORS.provider.without(unlinked), none, 'the mailbox of the owner may link it again');
});

t.test('what a newer version keeps with the second factor goes in a reset alone', async (t) => {
  const newer = { totp, challenges: [], key: 'sealed' } as User['mfa'];
  const user = ada({ mfa: newer });
  t.same(FACTORS.totp.without(user).mfa, { challenges: [], key: 'sealed' });
  t.same(withoutSecondFactor(user).mfa, { challenges: [] });
  t.same(withMailboxHolder(user, NOW).mfa, { challenges: [] });
});

t.test('every kind is in the table, and only some are proven after the first step', async (t) => {
  const files = globSync('src/rules/factors/*.ts').map((file) => basename(file, '.ts'));
  t.same(
    files.map((name) => name.replaceAll('-', '_')).sort(),
    [...Object.keys(FACTORS), 'factor', 'factors'].sort(),
  );
  const budgets = EVERY_FACTOR.flatMap(({ guessed }) => guessed ?? []);
  t.same(budgets, ['password', 'totp', 'recovery', 'passkey', 'mail_code'], 'they are in rows');
  // @ts-expect-error There is no proof of a provider: it signs in, and answers no second step.
  const proof: Proof = { kind: 'provider', given: '' };
  t.notOk(readyFactors(ada(SEEN.provider.only)).includes(proof.kind as never));
});
