import t from 'tap';
import {
  emailState,
  emailToken,
  invitationToken,
  passwordState,
  resetState,
  resetToken,
  signUpToken,
} from '../../../src/domain/tokens/mailed-tokens.ts';
import type { User } from '../../../src/schemas/user.ts';
import { testApp } from '../../test-app.ts';
import { ada, DAY, MINUTE, NOW } from '../samples.ts';

const user = ada({ email_verified_at: NOW });
const { context, clock } = await testApp(t);

/** What stands in a row, and which states are others once it has changed. */
const changes: [Partial<User>, { password: boolean; reset: boolean; email: boolean }][] = [
  [{ password_hash: '$argon2id$other' }, { password: true, reset: true, email: false }],
  [{ password_hash: null }, { password: true, reset: true, email: false }],
  [{ email_key: 'eve@example.com' }, { password: false, reset: true, email: true }],
  [{ email_verified_at: null }, { password: false, reset: false, email: true }],
  [{ email_verified_at: NOW + 1 }, { password: false, reset: false, email: true }],
  [{ token_version: 1 }, { password: false, reset: false, email: true }],
  [
    { name: 'Eve', updated_at: NOW + 1 },
    { password: false, reset: false, email: false },
  ],
];
for (const [change, dies] of changes) {
  t.test(`what dies with a change to ${JSON.stringify(change)}`, async (t) => {
    const next = { ...user, ...change };
    t.equal(passwordState(next) !== passwordState(user), dies.password, 'a challenge');
    t.equal(resetState(next) !== resetState(user), dies.reset, 'a reset link');
    t.equal(emailState(next) !== emailState(user), dies.email, 'a link that confirms an address');
  });
}

const read = {
  'sign-up': () => context.ownTokens.read('sign-up', signUp),
  reset: () => context.ownTokens.read('reset', reset),
  invitation: () => context.ownTokens.read('reset', invitation),
  email: () => context.ownTokens.read('email', email),
};
const signUp = signUpToken(context, 'Ada@example.com');
const reset = resetToken(context, user);
const invitation = invitationToken(context, user);
const email = emailToken(context, user, 'new@example.com', 'session');

t.test('a mailed token says for whom it is, and what it is bound to', async (t) => {
  t.match(read['sign-up'](), { sub: 'Ada@example.com' });
  t.match(read.reset(), { sub: user.id, was: resetState(user) });
  t.match(read.invitation(), { sub: user.id, was: resetState(user) });
  const bound = { sub: user.id, email: 'new@example.com', was: emailState(user) };
  t.match(read.email(), { ...bound, sid: 'session' });
  const alone = emailToken(context, user, 'new@example.com');
  t.equal(context.ownTokens.read('email', alone)?.sid, '', 'no session asked for it');
});

for (const [kind, life] of [
  ['sign-up', DAY],
  ['reset', 10 * MINUTE],
  ['invitation', DAY],
  ['email', DAY],
] as const) {
  t.test(`the ${kind} token lives so long, and no longer`, async (t) => {
    clock.now = NOW;
    t.equal(read[kind]()?.iat, NOW / 1_000);
    clock.now = NOW + life - 1;
    t.ok(read[kind]());
    clock.now = NOW + life;
    t.equal(read[kind](), undefined);
  });
}

t.test('no two mailed tokens are alike, and each has 128 random bits', async (t) => {
  const made = Array.from({ length: 20 }, () => resetToken(context, user));
  const ids = made.map((token) => context.ownTokens.read('reset', token)?.jti ?? '');
  t.equal(new Set(ids).size, 20);
  for (const id of ids) t.equal(Buffer.from(id, 'base64url').length, 16);
});
