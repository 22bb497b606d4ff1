import type { LightMyRequestResponse } from 'fastify';
import t from 'tap';
import { codeAt } from '../../authenticator.ts';
import { coded, verifyCode } from '../../mail-codes.ts';
import { outsideProvider, presentClock, sendIdToken, slotOf } from '../../oidc-provider.ts';
import { type PasskeyOwner, requested, signInWith, withPasskey } from '../../passkeys.ts';
import { factor } from '../../people.ts';
import { refused } from '../../refused.ts';
import { PASSWORD, type Tokens, testApp } from '../../test-app.ts';

const provider = await outsideProvider(t);
const app = await testApp(t, { clock: presentClock(), env: slotOf(provider) });

interface Way {
  name: string;
  signIn(user: PasskeyOwner & { email: string }): Promise<LightMyRequestResponse>;
  /** It asks for the second factor, if there is one. */
  isHalf: boolean;
}

const WAYS: Way[] = [
  { name: 'password', signIn: ({ email }) => app.login(email), isHalf: true },
  {
    name: 'passkey',
    signIn: async ({ passkey }) => signInWith(app, passkey.get(await requested(app))),
    isHalf: false,
  },
  {
    name: 'synced passkey',
    signIn: async ({ passkey }) =>
      signInWith(app, passkey.get(await requested(app), { flags: passkey.flags | 0x18 })),
    isHalf: false,
  },
  {
    name: 'code by mail',
    signIn: async ({ email }) => {
      const { token, code } = await coded(app, email);
      return verifyCode(app, token, code);
    },
    isHalf: true,
  },
  {
    name: 'provider',
    signIn: ({ id, email }) => sendIdToken(app, provider, { sub: id, email, email_verified: true }),
    isHalf: true,
  },
];

for (const [index, { name, signIn, isHalf }] of WAYS.entries()) {
  const person = async (when: string) => {
    const email = `${when}-${index}@example.com`;
    const user = { ...(await withPasskey(app, email)), email };
    // A provider does not link an account that has a second factor.
    if (name === 'provider') await signIn(user);
    return user;
  };
  const refreshedTwice = async ({ refresh_token }: Tokens) => {
    const first = await app.refresh(refresh_token);
    if (first.statusCode !== 200) return first;
    return app.refresh(first.json<Tokens>().refresh_token);
  };

  t.test(`${name}: a sign-in to an account with a second factor can be refreshed`, async (t) => {
    const user = await person('before');
    const { mfa, code } = factor(app, user);
    await app.context.users.change(user.id, (row) => ({ user: { ...row, mfa }, result: true }));
    const first = await signIn(user);
    t.equal(first.statusCode, isHalf ? 202 : 200, first.payload);
    app.clock.advance(30_000);
    const { mfa_token } = first.json();
    const answer = isHalf ? await app.post('/v1/login/mfa', { mfa_token, code: code() }) : first;
    t.equal((await refreshedTwice(answer.json())).statusCode, 200);
  });

  t.test(
    `${name}: a session can be refreshed after it has enabled the second factor`,
    async (t) => {
      const user = await person('after');
      const own = (await signIn(user)).json<Tokens>();
      const other = (await signIn(user)).json<Tokens>();
      const { secret } = (
        await app.as(own.access_token, {
          method: 'POST',
          url: '/v1/me/mfa/totp',
          payload: { password: PASSWORD },
        })
      ).json();
      const confirmed = await app.as(own.access_token, {
        method: 'POST',
        url: '/v1/me/mfa/totp/confirm',
        payload: { code: codeAt(secret, app.clock.now) },
      });
      t.equal(confirmed.statusCode, 200, confirmed.payload);
      t.equal((await refreshedTwice(own)).statusCode, 200);
      refused(t, await app.refresh(other.refresh_token), 401, 'refresh_invalid');
    },
  );

  t.test(`${name}: a session without a second factor can be refreshed`, async (t) => {
    const answer = await signIn(await person('without'));
    t.equal((await refreshedTwice(answer.json())).statusCode, 200, answer.payload);
  });
}
