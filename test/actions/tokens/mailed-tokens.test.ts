import t from 'tap';
import {
  emailState,
  emailToken,
  invitationToken,
  mayReset,
  passwordState,
  resetState,
  resetToken,
  signUpToken,
} from '../../../src/actions/tokens/mailed-tokens.ts';
import type { User } from '../../../src/schemas/user.ts';
import { ada, DAY, MINUTE, NOW } from '../../rules/samples.ts';
import { testApp } from '../../test-app.ts';

const user = ada({ email_verified_at: NOW });
const { context, clock } = await testApp(t);

/** Changes to a row, and which of the states change with them. */
const changes: [Partial<User>, { password: boolean; reset: boolean; email: boolean }][] = [
  [{ password_hash: '$argon2id$other' }, { password: true, reset: true, email: false }],
  [{ password_hash: null }, { password: true, reset: true, email: false }],
  [{ email_key: 'eve@example.com' }, { password: false, reset: true, email: true }],
  [{ email_verified_at: null }, { password: false, reset: false, email: true }],
  [{ email_verified_at: NOW + 1 }, { password: false, reset: false, email: true }],
  [{ token_version: 1 }, { password: false, reset: false, email: true }],
  [{ reset_letters: 1 }, { password: false, reset: true, email: false }],
  [
    { name: 'Eve', updated_at: NOW + 1 },
    { password: false, reset: false, email: false },
  ],
];
for (const [change, invalidates] of changes) {
  t.test(`what a change to ${JSON.stringify(change)} makes invalid`, async (t) => {
    const next = { ...user, ...change };
    t.equal(passwordState(next) !== passwordState(user), invalidates.password, 'a challenge');
    t.equal(resetState(next) !== resetState(user), invalidates.reset, 'a reset link');
    t.equal(
      emailState(next) !== emailState(user),
      invalidates.email,
      'a link that confirms an address',
    );
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
const email = emailToken(context, user, { email: 'new@example.com', sid: 'session' });

t.test('a mailed token carries the user or address, and what it is bound to', async (t) => {
  t.match(read['sign-up'](), { sub: 'Ada@example.com' });
  t.match(read.reset(), { sub: user.id, was: resetState(user) });
  t.match(read.invitation(), { sub: user.id });
  const bound = { sub: user.id, email: 'new@example.com', was: emailState(user) };
  t.match(read.email(), { ...bound, sid: 'session' });
  const alone = emailToken(context, user, { email: 'new@example.com' });
  t.equal(context.ownTokens.read('email', alone)?.sid, '', 'no session asked for it');
});

for (const [kind, life] of [
  ['sign-up', DAY],
  ['reset', 10 * MINUTE],
  ['invitation', DAY],
  ['email', DAY],
] as const) {
  t.test(`the ${kind} token is valid for its life, and no longer`, async (t) => {
    clock.now = NOW;
    t.equal(read[kind]()?.iat, NOW / 1_000);
    clock.now = NOW + life - 1;
    t.ok(read[kind]());
    clock.now = NOW + life;
    t.equal(read[kind](), undefined);
  });
}

t.test('an invitation is valid until a password is chosen or the address changes', async (t) => {
  const invited = ada({ password_hash: null });
  const { was = '' } = context.ownTokens.read('reset', invitationToken(context, invited)) ?? {};
  for (const [change, holds] of [
    [{}, true],
    [{ reset_letters: 3, token_version: 1 }, true],
    [{ password_hash: '$argon2id$first' }, false],
    [{ email_key: 'eve@example.com' }, false],
    [{ status: 'disabled' }, false],
  ] as const)
    t.equal(mayReset({ ...invited, ...change }, was), holds, JSON.stringify(change));
});

t.test('a reset link is valid until there is a newer one', async (t) => {
  const { was = '' } = context.ownTokens.read('reset', resetToken(context, user)) ?? {};
  t.equal(mayReset(user, was), true);
  t.equal(mayReset({ ...user, reset_letters: 1 }, was), false);
  const invited = ada({ password_hash: null, reset_letters: 1 });
  const { was: of = '' } = context.ownTokens.read('reset', resetToken(context, invited)) ?? {};
  t.equal(mayReset(invited, of), true);
  t.equal(mayReset({ ...invited, reset_letters: 2 }, of), false, 'for an invited user too');
});

t.test('every mailed token has 128 random bits of its own', async (t) => {
  const made = Array.from({ length: 20 }, () => resetToken(context, user));
  const ids = made.map((token) => context.ownTokens.read('reset', token)?.jti ?? '');
  t.equal(new Set(ids).size, 20);
  for (const id of ids) t.equal(Buffer.from(id, 'base64url').length, 16);
});
