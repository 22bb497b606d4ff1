import { Secret, TOTP } from 'otpauth';
import t from 'tap';
import { readKeySet } from '../../../src/parts/keys/key-set.ts';
import { newMasterSecret, newSigningKey } from '../../../src/parts/keys/new-keys.ts';
import { HashQueue } from '../../../src/parts/passwords/hash-queue.ts';
import { Passwords } from '../../../src/parts/passwords/passwords.ts';
import {
  hashRecoveryCode,
  newRecoveryCodes,
  withRecoveryHashSpent,
} from '../../../src/parts/second-factor/recovery-codes.ts';
import { seal, unseal } from '../../../src/parts/second-factor/secret-box.ts';
import { newTotp, otpauthUri, withCodeSpent } from '../../../src/parts/second-factor/totp.ts';
import { hasSecondFactor } from '../../../src/rules/second-factor.ts';
import type { Mfa, User } from '../../../src/schemas/user.ts';
import { ada, NOW, SECOND } from '../../rules/samples.ts';
import { keySet } from '../../test-app.ts';
import { ringOf } from '../rings.ts';

const STEP = 30 * SECOND;
const signing = newSigningKey('ES256', 0);
const master = newMasterSecret(0);
const keys = await ringOf([signing, master]);
const user = ada({ id: 'ada' });

/** The code of an authenticator app at `now` (ms). */
const codeAt = (secret: Secret, now: number) =>
  new TOTP({ secret, algorithm: 'SHA1', digits: 6, period: 30 }).generate({ timestamp: now });

const spent = (totp: NonNullable<Mfa['totp']>, code: string, now: number) =>
  withCodeSpent(keys, { totp, code, userId: user.id, now });

function enrolled() {
  const { secret, pending } = newTotp(keys, user, NOW);
  return { secret, totp: pending as NonNullable<Mfa['pending']> };
}

t.test('MFA-04 codes match every test vector of RFC 6238', async (t) => {
  const secret = Secret.fromUTF8('12345678901234567890');
  const totp = {
    secret: seal(keys, { secret: secret.base32, userId: 'ada', now: NOW }),
    last_step: 0,
  };
  // Appendix B, SHA-1, the last six of eight digits.
  for (const [seconds, code] of [
    [59, '287082'],
    [1111111109, '081804'],
    [1111111111, '050471'],
    [1234567890, '005924'],
    [2000000000, '279037'],
    [20000000000, '353130'],
  ] as const) {
    t.ok(spent(totp, code, seconds * 1_000), code);
    t.equal(spent(totp, '000000', seconds * 1_000), undefined);
  }
});

t.test('MFA-05 a secret has 160 random bits, and is stored encrypted', async (t) => {
  const made = Array.from({ length: 50 }, () => newTotp(keys, user, NOW));
  t.equal(new Set(made.map(({ secret }) => secret.base32)).size, 50);
  for (const { secret, pending } of made) {
    t.equal(secret.bytes.length, 20);
    t.notOk(JSON.stringify(pending).includes(secret.base32));
    t.equal(unseal(keys, (pending as { secret: string }).secret, 'ada'), secret.base32);
  }
});

t.test('MFA-04 only codes of the current step and the one before are accepted', async (t) => {
  const { secret, totp } = enrolled();
  const taken = [-3, -2, -1, 0, 1, 2].filter((steps) =>
    spent(totp, codeAt(secret, NOW + steps * STEP), NOW),
  );
  t.same(taken, [-1, 0]);
  // The edges of a step, to the millisecond.
  const code = codeAt(secret, NOW);
  t.ok(spent(totp, code, NOW + 2 * STEP - 1));
  t.equal(spent(totp, code, NOW + 2 * STEP), undefined);
  t.equal(spent(totp, code, NOW - 1), undefined);
});

t.test('MFA-03 a code spends its step and all earlier ones', async (t) => {
  const { secret, totp } = enrolled();
  const before = codeAt(secret, NOW - STEP);
  const now = codeAt(secret, NOW);
  const after = spent(totp, now, NOW) as NonNullable<Mfa['totp']>;
  t.equal(after.last_step, NOW / STEP);
  t.equal(spent(after, now, NOW), undefined, 'the same again');
  t.equal(spent(after, before, NOW), undefined, 'an older one');
  t.ok(spent(after, codeAt(secret, NOW + STEP), NOW + STEP));

  const earlier = spent(totp, before, NOW) as NonNullable<Mfa['totp']>;
  t.equal(earlier.last_step, NOW / STEP - 1);
  t.ok(spent(earlier, now, NOW), 'the newer one is still accepted');
});

t.test('anything but the code is refused', async (t) => {
  const { secret, totp } = enrolled();
  const code = codeAt(secret, NOW);
  const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, '0');
  for (const bad of ['', code.slice(1), `${code}0`, ` ${code}`, wrong])
    t.equal(spent(totp, bad, NOW), undefined, bad);
});

t.test('a secret in the row of another user cannot be read', async (t) => {
  const { secret, totp } = enrolled();
  t.throws(() => withCodeSpent(keys, { totp, code: codeAt(secret, NOW), userId: 'eve', now: NOW }));
});

t.test('an accepted code moves the secret to the current master secret', async (t) => {
  const { secret, totp } = enrolled();
  const next = newMasterSecret(NOW / 1_000);
  const rotated = await ringOf([signing, { ...master, exp: NOW / 1_000 + 60 }, next]);
  const moved = withCodeSpent(rotated, {
    totp,
    code: codeAt(secret, NOW),
    userId: 'ada',
    now: NOW,
  });
  await rotated.replace(readKeySet(keySet(signing, next)), NOW);
  const later = NOW + STEP;
  t.ok(
    withCodeSpent(rotated, {
      totp: moved as NonNullable<Mfa['totp']>,
      code: codeAt(secret, later),
      userId: 'ada',
      now: later,
    }),
    'without the old master secret',
  );
  t.throws(() =>
    withCodeSpent(rotated, { totp, code: codeAt(secret, later), userId: 'ada', now: later }),
  );
});

t.test('a pending second factor does not count as one', async (t) => {
  const { totp } = enrolled();
  t.equal(hasSecondFactor(user), false);
  t.equal(hasSecondFactor({ ...user, mfa: { pending: totp, challenges: [] } }), false);
  t.equal(hasSecondFactor({ ...user, mfa: { totp, challenges: [] } }), true);
});

t.test(
  'MFA-12 an address cannot add parameters to the URI for the authenticator app',
  async (t) => {
    const secret = new Secret({ size: 20 });
    for (const email of [
      'ada@example.com',
      "o'brien*(x)!@b.co",
      'a?issuer=Evil@b.co',
      'a#b@b.co',
      'a/../b@b.co',
      'a%26secret=x@b.co',
      'a%3Ab@b.co',
      'zoë+tag@b.co',
    ]) {
      const uri = new URL(otpauthUri(secret, { email, product: 'Latchkey' }));
      t.equal(uri.protocol, 'otpauth:');
      t.equal(uri.host, 'totp');
      t.equal(uri.hash, '');
      t.equal(decodeURIComponent(uri.pathname), `/Latchkey:${email.replace('&', ' ')}`);
      t.same(
        [...uri.searchParams],
        [
          ['secret', secret.base32],
          ['issuer', 'Latchkey'],
        ],
      );
    }
  },
);

/** As some apps read it: decoded first, then split at the first colon and at each ampersand. */
function readByPhone(uri: string) {
  const [head = '', query = ''] = uri.slice('otpauth://totp/'.length).split('?');
  const [issuer, ...account] = decodeURIComponent(head).split(':');
  const parameters = decodeURIComponent(query)
    .split('&')
    .map((pair) => pair.split('='));
  return { issuer, account: account.join(':'), parameters };
}

t.test(
  'MFA-12 apps that decode before they split read every product name and address',
  async (t) => {
    const secret = new Secret({ size: 20 });
    for (const [product, email, issuer, account] of [
      ['Harbour Lights', 'ada@example.com', 'Harbour Lights', 'ada@example.com'],
      ['Acme: Billing', 'ada@example.com', 'Acme Billing', 'ada@example.com'],
      ['Tom & Jerry', 'ada@example.com', 'Tom Jerry', 'ada@example.com'],
      ['Q&A:Ltd', 'ada&eve@example.com', 'Q A Ltd', 'ada eve@example.com'],
      [':&A', '"a:b"@example.com', 'A', '"a b"@example.com'],
      ['C++', 'a+b@example.com', 'C++', 'a+b@example.com'],
      [
        'Zo\u00eb\u2019s \u{1f98a}',
        "o'brien@example.com",
        'Zo\u00eb\u2019s \u{1f98a}',
        "o'brien@example.com",
      ],
    ] as const) {
      const uri = otpauthUri(secret, { email, product });
      t.same(
        readByPhone(uri),
        {
          issuer,
          account,
          parameters: [
            ['secret', secret.base32],
            ['issuer', issuer],
          ],
        },
        product,
      );
      t.match(uri, /^otpauth:\/\/totp\/[\w%.~-]+:[\w%.~-]+\?secret=[A-Z2-7]+&issuer=[\w%.~-]+$/);
    }
  },
);

const at = (memory: number) =>
  new Passwords({ memory, passes: 2 }, new HashQueue({ concurrency: 2, waiting: 100 }));
const passwords = at(19_456);
const { codes, recovery } = await newRecoveryCodes(passwords);
const { signal } = new AbortController();
const holder: User = { ...user, mfa: { recovery, challenges: [] } };

t.test('MFA-09 there are ten recovery codes of 80 bits, and the row has only hashes', async (t) => {
  t.equal(new Set(codes).size, 10);
  t.equal(recovery?.hashes.length, 10);
  for (const code of codes) {
    t.match(code, /^([A-Z2-7]{4}-){3}[A-Z2-7]{4}$/);
    t.notOk(JSON.stringify(recovery).includes(code));
    t.notOk(JSON.stringify(recovery).includes(code.replaceAll('-', '')));
  }
  for (const hash of recovery?.hashes ?? []) t.equal(Buffer.from(hash, 'base64url').length, 32);
});

t.test(
  'a recovery code is accepted in any case and spacing, once, and leaves the other nine',
  async (t) => {
    const [code = ''] = codes;
    const hash = await hashRecoveryCode(passwords, holder, code, { signal });
    for (const typed of [code.toLowerCase(), code.replaceAll('-', ''), code.replaceAll('-', ' ')])
      t.equal(await hashRecoveryCode(passwords, holder, typed, { signal }), hash);
    const left = withRecoveryHashSpent(recovery, hash);
    t.same(
      left?.hashes,
      recovery?.hashes.filter((stored) => stored !== hash),
    );
    t.equal(left?.hashes.length, 9);
    t.equal(withRecoveryHashSpent(left, hash), undefined);
  },
);

t.test('an unknown recovery code, or one of a user without codes, is refused', async (t) => {
  const strange = await hashRecoveryCode(passwords, holder, 'AAAA-AAAA-AAAA-AAAA', { signal });
  t.equal(withRecoveryHashSpent(recovery, strange), undefined);
  t.equal(withRecoveryHashSpent(recovery, ''), undefined);
  for (const nobody of [undefined, user]) {
    const hash = await hashRecoveryCode(passwords, nobody, codes[0] as string, { signal });
    t.equal(withRecoveryHashSpent(recovery, hash), undefined, 'the salt is another one');
    t.equal(withRecoveryHashSpent(undefined, hash), undefined);
  }
});

t.test('recovery codes stay valid when the cost of hashes changes', async (t) => {
  const dearer = at(20_480);
  const hash = await hashRecoveryCode(dearer, holder, codes[1] as string, { signal });
  const left = withRecoveryHashSpent(recovery, hash);
  t.equal(left?.hashes.length, 9);
  t.same(left?.cost, { memory: 19_456, passes: 2 });
  t.same((await newRecoveryCodes(dearer)).recovery?.cost, { memory: 20_480, passes: 2 });
});
