import t from 'tap';
import { issueChallenge } from '../src/domain/second-factor/challenge.ts';
import { emailToken, resetToken, signUpToken } from '../src/domain/tokens/mailed-tokens.ts';
import { type Authenticator, withFactor } from './authenticator.ts';
import { testApp } from './test-app.ts';

const app = await testApp(t);
const { context, as, post, clock } = app;
const STRONG = 'a quite different passphrase';

/** One good token of each kind, all of the same user but that of a sign-up. */
async function goodTokens({ tokens }: Authenticator, email: string) {
  const user = await context.users.findByEmail(email);
  if (user === undefined) throw new Error(`nobody is ${email}`);
  return {
    access: tokens.access_token,
    refresh: tokens.refresh_token,
    'sign-up': signUpToken(context, `new-${email}`),
    email: emailToken(context, user, email, tokens.session_id),
    reset: resetToken(context, user),
    mfa: issueChallenge(context, { user, device: undefined, transport: 'body' }),
    device: tokens.device_token,
  };
}

/** Where each kind is good for something; a device token opens nothing by itself. */
const endpoints = (code: () => string) => ({
  access: (token: string) => as(token, { url: '/v1/whoami' }),
  refresh: (refresh_token: string) => post('/v1/refresh', { refresh_token }),
  'sign-up': (token: string) => post('/v1/register/complete', { token, password: STRONG }),
  email: (token: string) => post('/v1/email/confirm', { token }),
  mfa: (mfa_token: string) => post('/v1/login/mfa', { mfa_token, code: code() }),
  reset: (token: string) => post('/v1/password/reset', { token, password: STRONG }),
});

t.test(
  'KEY-08 TOK-07 REF-07 MFA-01 each kind of token is good at its own endpoint, and nowhere else',
  async (t) => {
    const email = 'ada@example.com';
    const ada = await withFactor(t, app, email);
    // The session that set the factor up goes on only if it has proven it.
    const challenge = (await app.login(email)).json().mfa_token;
    const signedIn = await post('/v1/login/mfa', { mfa_token: challenge, code: ada.code() });
    const owner = { ...ada, tokens: signedIn.json() };
    const row = () => context.users.findByEmail(email);
    const before = await row();
    for (const [endpoint, ask] of Object.entries(endpoints(ada.code))) {
      for (const [kind, token] of Object.entries(await goodTokens(owner, email))) {
        if (kind === endpoint) continue;
        const { statusCode } = await ask(token);
        t.ok([400, 401].includes(statusCode), `${kind} at ${endpoint}: ${statusCode}`);
      }
    }
    t.same(await row(), before, 'no row changed');
    clock.advance(1_000);
    for (const [endpoint, ask] of Object.entries(endpoints(ada.code))) {
      const tokens = await goodTokens(owner, email);
      const { statusCode } = await ask(tokens[endpoint as keyof typeof tokens]);
      t.ok(statusCode < 300, `${endpoint}: ${statusCode}`);
    }
  },
);
