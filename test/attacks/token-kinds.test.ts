import type { LightMyRequestResponse } from 'fastify';
import t from 'tap';
import { issueChallenge } from '../../src/actions/factors/challenge.ts';
import {
  emailToken,
  invitationToken,
  notMeToken,
  resetToken,
  signUpToken,
} from '../../src/actions/tokens/mailed-tokens.ts';
import { newUserId } from '../../src/parts/ids.ts';
import { newPerson } from '../../src/rules/accounts.ts';
import { OwnClaims } from '../../src/schemas/claims.ts';
import type { User } from '../../src/schemas/user.ts';
import { folder } from '../databases.ts';
import { asked, codeFor, verifyCode } from '../mail-codes.ts';
import {
  cookiesIn,
  followedAt,
  outsideProvider,
  pathOf,
  presentClock,
  slotOf,
} from '../oidc-provider.ts';
import { add, enrolled, offered, requested, SoftAuthenticator, signInWith } from '../passkeys.ts';
import {
  basic,
  factor,
  form,
  type SignedIn,
  serviceAccount,
  serviceAccountToken,
  signedIn,
} from '../people.ts';
import { PASSWORD, testApp } from '../test-app.ts';

const provider = await outsideProvider(t);
const app = await testApp(t, {
  clock: presentClock(),
  env: { MAIL_URL: `file:${folder(t)}`, ...slotOf(provider) },
});
const { as, clock, context, post } = app;
const client = await serviceAccount(app, ['editor']);
const password_hash = await context.passwords.hash(PASSWORD);

/** One token of each kind, and what else the uses need. */
interface Hand {
  user: SignedIn;
  tokens: Record<Kind, string>;
  code: () => string;
  passkey: SoftAuthenticator;
  /** Who this is at the provider, and the way back from there. */
  outside: { sub: string; email: string; email_verified: true };
  back: string;
}

const kinds = [
  'access',
  'client access',
  'refresh',
  'device',
  'sign-up',
  'email',
  'reset',
  'invitation',
  'not-me',
  'mfa',
  'passkey',
  'new-passkey',
  'mail-code',
  'provider',
  'nonce',
] as const;
type Kind = (typeof kinds)[number];

let count = 0;

/** The token in the challenge of passkey options. */
const tokenIn = ({ challenge }: { challenge: string }) =>
  Buffer.from(challenge, 'base64url').toString();

const challengeOf = (token: string) => Buffer.from(token).toString('base64url');

/** A user with a token of every kind. */
async function deal(): Promise<Hand> {
  count += 1;
  const user = await signedIn(app, `user${count}@example.com`, {
    password_hash,
    email_verified_at: clock.now,
  });
  const passkey = await enrolled(app, user.access_token);
  const row = (await context.users.findById(user.id)) as User;
  const at = (name: string) => `${name}${count}@example.com`;
  const invited = newPerson(
    { id: newUserId(clock.now), email: at('invited'), name: null, passwordHash: null },
    clock.now,
  );
  await context.users.insert(invited);
  const half = newPerson(
    { id: newUserId(clock.now), email: at('half'), name: null, passwordHash: 'x' },
    clock.now,
  );
  const { mfa, code } = factor(app, half);
  await context.users.insert({ ...half, mfa });
  const outside = { sub: at('sub'), email: at('outside'), email_verified: true } as const;
  provider.user = outside.sub;
  provider.people.set(outside.sub, outside);
  const left = await app.inject({ url: '/v1/login/1' });
  const back = pathOf(await followedAt(provider, String(left.headers.location)));
  const nonce = await post('/v1/login/id-token/nonce', { provider: '1' });
  return {
    user,
    code,
    passkey,
    outside,
    back,
    tokens: {
      access: user.access_token,
      'client access': await serviceAccountToken(app, client),
      refresh: user.refresh_token,
      device: user.device_token,
      'sign-up': signUpToken(context, at('new')),
      email: emailToken(context, row, { email: at('moved'), sid: user.session_id }),
      reset: resetToken(context, row),
      invitation: invitationToken(context, invited),
      'not-me': notMeToken(context, invited),
      mfa: issueChallenge(context, {
        user: { ...half, mfa },
        device: 'device',
        transport: 'body',
      }),
      passkey: tokenIn(await requested(app)),
      'new-passkey': tokenIn(await offered(app, user.access_token)),
      'mail-code': await asked(app, `user${count}@example.com`),
      provider: cookiesIn(left).get('__Host-latchkey_provider') as string,
      nonce: nonce.json<{ nonce_token: string }>().nonce_token,
    },
  };
}

const ok = ({ statusCode }: LightMyRequestResponse): boolean => statusCode < 300;

/** Every use of a token: the kinds that work, and a function that tries one. */
const uses: Record<
  string,
  { opens: readonly Kind[]; use: (token: string, hand: Hand) => Promise<boolean> }
> = {
  'GET /v1/whoami': {
    opens: ['access', 'client access'],
    use: async (token) => ok(await as(token, { url: '/v1/whoami' })),
  },
  'GET /v1/me': {
    opens: ['access'],
    use: async (token) => ok(await as(token, { url: '/v1/me' })),
  },
  'POST /v1/refresh': {
    opens: ['refresh'],
    use: async (refresh_token) => ok(await post('/v1/refresh', { refresh_token })),
  },
  'POST /v1/refresh, by cookie': {
    // A token that was issued in a body does not work as a cookie.
    opens: [],
    use: async (token) =>
      ok(
        await post('/v1/refresh', undefined, {
          cookie: `__Secure-latchkey_refresh=${token}`,
          origin: context.config.ISSUER,
        }),
      ),
  },
  'POST /oauth/token': {
    opens: ['refresh'],
    use: async (refresh_token) =>
      ok(await form(app, '/oauth/token', { grant_type: 'refresh_token', refresh_token })),
  },
  'POST /v1/login, as the device': {
    opens: ['device'],
    use: async (device_token, { user }) => {
      const { email } = (await context.users.findById(user.id)) as User;
      const answer = await post('/v1/login', { email, password: PASSWORD, device_token });
      const made = answer.json<{ device_token: string }>().device_token;
      return context.ownTokens.read('device', made)?.jti === 'device';
    },
  },
  'POST /v1/register/complete': {
    opens: ['sign-up'],
    use: async (token) => ok(await post('/v1/register/complete', { token, password: PASSWORD })),
  },
  'POST /v1/email/confirm': {
    opens: ['email'],
    use: async (token) => ok(await post('/v1/email/confirm', { token })),
  },
  'POST /v1/email/not-me': {
    opens: ['not-me'],
    use: async (token) => ok(await post('/v1/email/not-me', { token })),
  },
  'POST /v1/password/reset': {
    opens: ['reset', 'invitation'],
    use: async (token) =>
      ok(await post('/v1/password/reset', { token, password: `${PASSWORD}, again` })),
  },
  'POST /v1/login/mfa': {
    opens: ['mfa'],
    use: async (mfa_token, { code }) =>
      ok(await post('/v1/login/mfa', { mfa_token, code: code() })),
  },
  'POST /v1/login/passkey': {
    opens: ['passkey'],
    use: async (token, { passkey }) =>
      ok(await signInWith(app, passkey.get({ challenge: challengeOf(token) }))),
  },
  'POST /v1/me/passkeys': {
    opens: ['new-passkey'],
    use: async (token, { user }) => {
      const challenge = challengeOf(token);
      const made = new SoftAuthenticator().create({ challenge, user });
      return ok(await add(app, user.access_token, made));
    },
  },
  'POST /v1/login/code/verify': {
    opens: ['mail-code'],
    use: async (token, { user, tokens }) => {
      const { email } = (await context.users.findById(user.id)) as User;
      const code = await codeFor(app, String(email), tokens['mail-code']);
      return ok(await verifyCode(app, token, code));
    },
  },
  'GET /v1/login/1/callback': {
    opens: ['provider'],
    use: async (token, { back }) => {
      const cookie = `__Host-latchkey_provider=${token}`;
      const answer = await app.inject({ url: back, headers: { cookie } });
      return cookiesIn(answer).has('__Secure-latchkey_refresh');
    },
  },
  'POST /v1/login/id-token': {
    opens: ['nonce'],
    use: async (nonce_token, { outside }) => {
      const [, payload = ''] = nonce_token.split('.');
      const { jti: nonce } = JSON.parse(Buffer.from(payload, 'base64url').toString());
      const id_token = await provider.idToken({ ...outside, nonce });
      return ok(await post('/v1/login/id-token', { provider: '1', id_token, nonce_token }));
    },
  },
  'POST /oauth/introspect': {
    opens: ['access', 'client access', 'refresh'],
    use: async (token) =>
      (await form(app, '/oauth/introspect', { token }, basic(client))).json().active,
  },
  'POST /v1/logout, as the bearer': {
    opens: ['access', 'client access'],
    use: async (token) =>
      ok(await post('/v1/logout', undefined, { authorization: `Bearer ${token}` })),
  },
  'POST /v1/logout': {
    opens: ['refresh'],
    use: async (refresh_token) => {
      const ended = () => app.events().filter((event) => event === 'session.ended').length;
      const before = ended();
      await post('/v1/logout', { refresh_token });
      return ended() > before;
    },
  },
  'POST /oauth/revoke': {
    opens: ['access', 'client access', 'refresh'],
    use: async (token) => {
      const revoked = () => app.events().filter((event) => event === 'token.revoked').length;
      const before = revoked();
      await form(app, '/oauth/revoke', { token });
      return revoked() > before;
    },
  },
};

/** The present rows of all users. */
const everybody = async () => [
  ...(await context.users.list({ kind: 'person', limit: 1_000 })),
  ...(await context.users.list({ kind: 'service', limit: 1_000 })),
];

t.test('there is a token of every kind that the service issues', async (t) => {
  for (const kind of Object.keys(OwnClaims)) t.ok(kinds.includes(kind as Kind), kind);
});

for (const [name, { opens, use }] of Object.entries(uses)) {
  const taken = opens.join(', ') || 'none of them';
  t.test(`KEY-08 TOK-07 REF-07 MFA-01 ${name} accepts ${taken}, and nothing else`, async (t) => {
    const hand = await deal();
    const signsIn = name.startsWith('POST /v1/login,');
    const before = await everybody();
    for (const kind of kinds.filter((kind) => !opens.includes(kind))) {
      t.equal(await use(hand.tokens[kind], hand), false, kind);
    }
    if (!signsIn) t.same(await everybody(), before, 'a refusal changes no row');
    for (const kind of opens) {
      const { tokens, ...rest } = await deal();
      t.equal(await use(tokens[kind], { tokens, ...rest }), true, kind);
    }
  });
}

t.test('no refusal uses a token up: each works in its place afterwards', async (t) => {
  const first = Object.entries(uses).map(([name, { opens }]) => [name, opens[0]] as const);
  for (const [right, kind] of first) {
    if (kind === undefined) continue;
    const hand = await deal();
    for (const { opens, use } of Object.values(uses)) {
      if (!opens.includes(kind)) await use(hand.tokens[kind], hand);
    }
    t.equal(await uses[right]?.use(hand.tokens[kind], hand), true, `${kind} at ${right}`);
  }
});
