import t from 'tap';
import type { User } from '../../../../src/schemas/user.ts';
import { opened, sqliteFile } from '../../../databases.ts';
import { freePort } from '../../../free-port.ts';
import {
  cookieHeader,
  cookiesIn,
  errorAt,
  followedAt,
  HTML,
  outsideProvider,
  pathOf,
  presentClock,
  refreshed,
  sendIdToken,
  signInAt,
  slotOf,
  subjectsOf,
} from '../../../oidc-provider.ts';
import { factor, signedIn } from '../../../people.ts';
import { refused } from '../../../refused.ts';
import { type Options, type TestApp, testApp } from '../../../test-app.ts';

const provider = await outsideProvider(t);
const ada = { email: 'ada@example.com', email_verified: true, name: 'Ada\nLovelace' };

/** The service with one provider. */
const start = (options: Options = {}) => {
  provider.people.clear();
  provider.people.set('ada', ada);
  provider.user = 'ada';
  provider.fault = 'none';
  const env = { ...slotOf(provider), ...options.env };
  return testApp(t, { clock: presentClock(), ...options, env });
};

const everybody = ({ context }: TestApp) => context.users.list({ kind: 'person', limit: 10 });

/** Signed in, as the answer to the callback says. */
const ACCOUNT = 'http://localhost:3000/account';

t.test(
  'a new person gets an account with a proven address, and a session in cookies',
  async (t) => {
    const app = await start();
    const posted = subjectsOf(app);
    const left = await app.inject({ url: '/v1/login/1', headers: HTML });
    t.equal(left.statusCode, 303);
    t.match(
      left.headers['set-cookie'],
      /^__Host-latchkey_provider=[\w.-]+; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    const asked = new URL(String(left.headers.location)).searchParams;
    t.equal(asked.get('code_challenge_method'), 'S256');
    t.equal(asked.get('redirect_uri'), 'http://localhost:3000/v1/login/1/callback');
    for (const name of ['state', 'nonce', 'code_challenge']) t.ok(asked.get(name), name);

    const answer = await signInAt(app, provider);
    t.equal(answer.statusCode, 303);
    t.equal(answer.headers.location, ACCOUNT);
    t.same(
      [...cookiesIn(answer).keys()],
      ['__Secure-latchkey_refresh', '__Secure-latchkey_device', '__Host-latchkey_provider'],
    );
    t.equal(cookiesIn(answer).get('__Host-latchkey_provider'), '', 'of no more use');
    const token = await refreshed(app, answer);
    t.match((await app.as(token, { url: '/v1/me' })).json(), {
      email: 'ada@example.com',
      email_verified: true,
      name: 'Ada Lovelace',
    });
    t.same((await app.as(token, { url: '/v1/whoami' })).json().amr, ['fed']);
    const [row] = (await everybody(app)) as [User];
    t.match(row, { password_hash: null, claimed_at: null, identity_1: `${provider.issuer}|ada` });

    // Known by `sub`, whatever the address is now.
    provider.people.set('ada', { email: 'grace@example.com', email_verified: false });
    t.equal((await signInAt(app, provider)).headers.location, ACCOUNT);
    t.match(await everybody(app), [{ id: row.id, email: 'ada@example.com' }]);
    t.same(app.events(), ['account.created', 'sign_in.ok', 'sign_in.ok']);
    t.same(posted, []);
    t.match(
      await app.context.metrics.registry.metrics(),
      /sign_ins_total\{way="provider",result="ok"\} 2/,
    );
  },
);

t.test(
  'the address of another user, which a known person has at the provider now, changes nothing',
  async (t) => {
    const app = await start();
    await signInAt(app, provider);
    const grace = await signedIn(app, 'grace@example.com');
    provider.people.set('ada', { email: 'grace@example.com', email_verified: true });
    const token = await refreshed(app, await signInAt(app, provider));
    t.equal((await app.as(token, { url: '/v1/me' })).json().email, 'ada@example.com');
    t.equal((await app.context.users.findById(grace.id))?.identity_1, null);
  },
);

t.test(
  'the letter about a new device is sent to a device that the account does not know',
  async (t) => {
    const app = await start({ env: { SIGN_IN_LETTERS: 'true' } });
    const posted = subjectsOf(app);
    const first = await signInAt(app, provider);
    const device = cookiesIn(first).get('__Secure-latchkey_device');
    await signInAt(app, provider, { headers: { cookie: `__Secure-latchkey_device=${device}` } });
    t.same(posted, [], 'it is known, though its cookie does not come back from the provider');
    await signInAt(app, provider, { headers: { cookie: '__Secure-latchkey_device=forged' } });
    t.same(posted, ['ada@example.com: New sign-in to your account at Latchkey']);
  },
);

t.test(
  'a new account needs an address that the provider has verified, and that an account may have',
  async (t) => {
    const app = await start();
    await signedIn(app, 'known@example.com');
    const people = {
      'an address that is not verified': { email: 'new@example.com', email_verified: false },
      'one that says nothing': { email: 'new@example.com' },
      'that of an account, not verified': { email: 'known@example.com', email_verified: false },
      'no address': { name: 'Nobody' },
      'no valid address': { email: 'a..b@example.com', email_verified: true },
    };
    for (const [what, claims] of Object.entries(people)) {
      provider.people.set('ada', claims);
      const answer = await signInAt(app, provider);
      t.equal(errorAt(answer), 'provider_unlinked', what);
      t.notOk(cookiesIn(answer).has('__Secure-latchkey_refresh'), what);
    }
    t.equal((await everybody(app)).length, 1, 'nobody came in');
    t.same(new Set(app.events()), new Set(['sign_in.refused']));
  },
);

t.test('with SIGN_UP=closed nobody new comes in', async (t) => {
  const app = await start({ env: { SIGN_UP: 'closed' } });
  t.equal(errorAt(await signInAt(app, provider)), 'sign_up_closed');
  await signedIn(app, 'ada@example.com');
  t.equal((await signInAt(app, provider)).headers.location, ACCOUNT, 'who is there does');
});

t.test(
  'an account is linked by a mailbox that both sides have proven, and its owner is told',
  async (t) => {
    const app = await start();
    const posted = subjectsOf(app);
    const { id } = await signedIn(app, 'Ada@example.com');
    const answer = await signInAt(app, provider);
    t.equal(answer.headers.location, ACCOUNT);
    t.equal((await app.context.users.findById(id))?.identity_1, `${provider.issuer}|ada`);
    t.same(app.events(), ['identity.linked', 'sign_in.ok']);
    t.same(posted, ['Ada@example.com: A sign-in with another provider was added']);
  },
);

t.test(
  'an account that may be a stranger’s, or is better protected, is not linked by its address',
  async (t) => {
    const cases: Record<string, { email?: string; changes: (app: TestApp) => Partial<User> }> = {
      'nobody has confirmed it': { changes: () => ({ email_verified_at: null }) },
      'confirmed, but perhaps not by its user': { changes: () => ({ claimed_at: 0 }) },
      'with a second factor': { changes: (app) => ({ mfa: factor(app, { id: 'x' }).mfa }) },
      'linked with somebody else there': { changes: () => ({ identity_1: 'https://other|ada' }) },
      'another mailbox that looks alike': { email: 'ada@example.com', changes: () => ({}) },
    };
    for (const [what, { changes }] of Object.entries(cases)) {
      const app = await start();
      const { id } = await signedIn(app, 'ada@example.com', changes(app));
      if (what.startsWith('another mailbox'))
        provider.people.set('ada', { email: 'ａda@example.com', email_verified: true });
      const before = await app.context.users.findById(id);
      const answer = await signInAt(app, provider);
      t.equal(errorAt(answer), 'provider_unlinked', what);
      t.same(await app.context.users.findById(id), before, what);
      t.equal((await everybody(app)).length, 1, what);
    }
  },
);

t.test('a disabled user does not come in', async (t) => {
  const app = await start();
  const status = 'disabled' as const;
  await signedIn(app, 'ada@example.com', { status, identity_1: `${provider.issuer}|ada` });
  t.equal(errorAt(await signInAt(app, provider)), 'provider_refused');
});

t.test('whoever is erased in the meantime does not come in', async (t) => {
  const app = await start();
  await signedIn(app, 'ada@example.com', { identity_1: `${provider.issuer}|ada` });
  const { users } = app.context;
  const find = users.findByIdentity.bind(users);
  users.findByIdentity = async (...asked) => {
    const found = await find(...asked);
    return found && { ...found, id: 'gone' };
  };
  t.equal(errorAt(await signInAt(app, provider)), 'provider_refused');
});

t.test('a second factor is asked for, with a token that is in no request', async (t) => {
  const app = await start();
  const { id } = await signedIn(app, 'ada@example.com', { identity_1: `${provider.issuer}|ada` });
  const { mfa, code } = factor(app, { id });
  await app.context.users.change(id, (user) => ({ user: { ...user, mfa }, result: undefined }));
  const answer = await signInAt(app, provider, { query: '?return_to=/account%3Fa=b%23c' });
  t.notOk(cookiesIn(answer).has('__Secure-latchkey_refresh'));
  const url = new URL(String(answer.headers.location));
  t.equal(url.pathname + url.search, '/login?next=%2Faccount%3Fa%3Db%23c');
  const fragment = new URLSearchParams(url.hash.slice(1));
  t.equal(fragment.get('methods'), 'totp');
  const proof = { mfa_token: fragment.get('mfa_token'), code: code() };
  const done = await app.post('/v1/login/mfa', proof);
  t.equal(done.statusCode, 200);
  t.ok(cookiesIn(done).has('__Secure-latchkey_refresh'), 'the cookies come with the second step');
  const { access_token } = done.json();
  t.same((await app.as(access_token, { url: '/v1/whoami' })).json().amr, ['fed', 'otp', 'mfa']);
  t.same(app.events(), ['mfa.challenged', 'sign_in.ok']);
});

t.test('two sign-ins of a new person at once, on two nodes, make one account', async (t) => {
  for (const slots of [
    ['1', '1'],
    ['1', '2'],
  ]) {
    const url = await sqliteFile(t).create();
    const other = await outsideProvider(t);
    other.people.set('ada', ada);
    const env = slotOf(other, '2');
    const here = await start({ database: opened(t, url), env });
    const there = await testApp(t, {
      database: opened(t, url),
      clock: presentClock(),
      env: { ...slotOf(provider), ...env },
    });
    const answers = await Promise.all(
      [here, there].map((node, n) => {
        const slot = slots[n] as string;
        return signInAt(node, slot === '1' ? provider : other, { slot });
      }),
    );
    t.same(
      answers.map(({ headers }) => headers.location),
      [ACCOUNT, ACCOUNT],
    );
    const people = await everybody(here);
    t.equal(people.length, 1);
    t.match(people, [{ identity_1: `${provider.issuer}|ada`, sessions: { length: 2 } }]);
  }
});

t.test('a node that has not seen the new account yet signs in to it', async (t) => {
  const app = await start();
  const { users } = app.context;
  await signedIn(app, 'before@example.com', { identity_1: `${provider.issuer}|ada` });
  const find = users.findByIdentity.bind(users);
  let asked = 0;
  users.findByIdentity = async (...key) => {
    asked += 1;
    return asked === 1 ? undefined : find(...key);
  };
  t.equal((await signInAt(app, provider)).headers.location, ACCOUNT);
  t.match(await everybody(app), [{ email: 'before@example.com', sessions: { length: 2 } }]);
});

t.test('nobody is sent to another site afterwards', async (t) => {
  const env = { CORS_ORIGINS: 'https://app.example.com' };
  const app = await start({ env });
  const to = (text: string) =>
    app.inject({ url: `/v1/login/1?return_to=${encodeURIComponent(text)}` });
  const hostile = [
    'https://evil.example',
    'https://evil.example/account',
    '//evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    ' /account',
    'account',
    '',
    'javascript:alert(1)',
    'data:text/html,x',
    'http://localhost:3000@evil.example/',
    'http://localhost:3000.evil.example/',
    'http://user@localhost:3000/',
    'https://localhost:3000/',
    'http://localhost:3001/',
    'https://app.example.com.evil.example/',
    'http://app.example.com/',
    'http://[::1/',
    'https:/\\evil.example',
    'https://app.example.com\\@evil.example',
  ];
  for (const text of hostile) refused(t, await to(text), 422, 'invalid_input');
  refused(t, await to(`/${'a'.repeat(1_000)}`), 422, 'invalid_input');
  const friendly = {
    '/account?a=1#b': 'http://localhost:3000/account?a=1#b',
    '/%2F%2Fevil.example': 'http://localhost:3000/%2F%2Fevil.example',
    'http://localhost:3000/account': 'http://localhost:3000/account',
    'https://app.example.com': 'https://app.example.com/',
    'https://app.example.com/in?a=b': 'https://app.example.com/in?a=b',
  };
  for (const [text, url] of Object.entries(friendly)) {
    const query = `?return_to=${encodeURIComponent(text)}`;
    t.equal((await signInAt(app, provider, { query })).headers.location, url, text);
  }
});

t.test('an application elsewhere gets its users back', async (t) => {
  const app = await start({ env: { APP_URL: 'https://app.example.com' } });
  t.equal((await signInAt(app, provider)).headers.location, 'https://app.example.com');
});

t.test(
  'only the browser that has left comes back (CSRF), once, in time and from that provider',
  async (t) => {
    const other = await outsideProvider(t);
    const app = await start({ env: slotOf(other, '2') });
    const left = async (slot = '1') => {
      const answer = await app.inject({ url: `/v1/login/${slot}`, headers: HTML });
      const back = await followedAt(
        slot === '1' ? provider : other,
        String(answer.headers.location),
      );
      return { path: pathOf(back), cookie: cookieHeader(cookiesIn(answer)) };
    };
    const back = (path: string, cookie = '') =>
      app.inject({ url: path, headers: { ...HTML, cookie } });
    const isRefused = async (what: string, answer: ReturnType<typeof back>) => {
      const { headers } = await answer;
      t.equal(errorAt(await answer), 'provider_refused', what);
      t.notMatch(headers['set-cookie'], /latchkey_refresh/, what);
    };
    const mine = await left();
    const theirs = await left();
    await isRefused('a link to the callback, opened elsewhere', back(theirs.path));
    await isRefused('another browser’s cookie', back(theirs.path, mine.cookie));
    await isRefused('a forged cookie', back(mine.path, '__Host-latchkey_provider=x.y.z'));
    await isRefused('no state', back(mine.path.replace(/state=[^&]+/, ''), mine.cookie));
    await isRefused('another state', back(mine.path.replace(/state=/, 'state=x'), mine.cookie));
    await isRefused('no code', back(mine.path.replace(/code=[^&]+/, ''), mine.cookie));
    await isRefused('two codes', back(`${mine.path}&code=x`, mine.cookie));
    await isRefused('no query', back('/v1/login/1/callback', mine.cookie));
    const issuer = encodeURIComponent(provider.issuer);
    t.match(mine.path, `iss=${issuer}`);
    const elsewhere = encodeURIComponent(other.issuer);
    await isRefused(
      'the issuer of the other slot (RFC 9207)',
      back(mine.path.replace(`iss=${issuer}`, `iss=${elsewhere}`), mine.cookie),
    );
    await isRefused('no issuer', back(mine.path.replace(`iss=${issuer}`, ''), mine.cookie));
    await isRefused('the other slot', back(mine.path.replace('/1/', '/2/'), mine.cookie));
    const second = await left('2');
    await isRefused('the code of the other slot', back(mine.path, second.cookie));
    const both = `${mine.cookie}; ${theirs.cookie}`;
    t.equal(errorAt(await back(mine.path, both)), 'ambiguous_credentials');

    t.equal((await back(mine.path, mine.cookie)).headers.location, ACCOUNT);
    await isRefused('the same again', back(mine.path, mine.cookie));
    app.clock.advance(600_000);
    await isRefused('after ten minutes', back(theirs.path, theirs.cookie));
  },
);

t.test('a provider that answers with a form signs in, in this browser alone', async (t) => {
  const app = await start();
  const left = await app.inject({ url: '/v1/login/1', headers: HTML });
  const back = new URL(await followedAt(provider, String(left.headers.location)));
  back.searchParams.set('user', 'not used');
  const post = (url: string, payload: string) =>
    app.inject({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: provider.issuer },
      payload,
    });
  const answer = await post('/v1/login/1/callback', back.searchParams.toString());
  t.equal(answer.statusCode, 303, answer.payload);
  t.equal(answer.headers['set-cookie'], undefined);
  const next = String(answer.headers.location);
  t.match(
    next,
    /^http:\/\/localhost:3000\/v1\/login\/1\/callback\?code=[^&]+&state=[^&]+&iss=[^&]+$/,
  );
  const url = pathOf(next);
  t.equal(errorAt(await app.inject({ url, headers: HTML })), 'provider_refused');
  const cookie = cookieHeader(cookiesIn(left));
  t.equal((await app.inject({ url, headers: { ...HTML, cookie } })).headers.location, ACCOUNT);

  const split = await post('/v1/login/1/callback', 'state=a%0d%0ab');
  t.match(split.headers.location, /callback\?state=a%0D%0Ab$/);
  const elsewhere = await post('/v1/login/%2F%2Fevil.example%2Fx/callback', 'state=a');
  t.equal(elsewhere.statusCode, 400);
  t.equal((await post('/v1/login/1/callback', 'code=a&code=b')).statusCode, 400);
});

t.test('who cancels at the provider is back on the page to sign in', async (t) => {
  const app = await start();
  provider.user = undefined;
  const answer = await signInAt(app, provider, { query: '?return_to=/admin' });
  t.equal(
    answer.headers.location,
    'http://localhost:3000/login?error=provider_refused&next=%2Fadmin',
  );
  const left = await app.inject({ url: '/v1/login/1', headers: HTML });
  const cookie = cookieHeader(cookiesIn(left));
  const state = new URL(String(left.headers.location)).searchParams.get('state');
  const iss = encodeURIComponent(provider.issuer);
  const url = `/v1/login/1/callback?state=${state}&iss=${iss}&error=temporarily_unavailable`;
  const later = await app.inject({ url, headers: { ...HTML, cookie } });
  t.equal(errorAt(later), 'provider_unavailable', 'it says that it is overloaded');
  for (const bare of ['/v1/login/1/callback', '/v1/login/1/callback?'])
    t.equal(
      errorAt(await app.inject({ url: bare, headers: { ...HTML, cookie } })),
      'provider_refused',
    );
  const canary = url.replace('temporarily_unavailable', 'CANARY5f2b&error_description=CANARY5f2b');
  const hostile = await app.inject({ url: canary, headers: { ...HTML, cookie } });
  t.equal(errorAt(hostile), 'provider_refused');
  t.notMatch(JSON.stringify([hostile.headers, app.logs]), /CANARY/, 'it is not repeated');
});

t.test('a client that is no browser gets problems', async (t) => {
  const app = await start();
  refused(t, await app.inject({ url: '/v1/login/1/callback' }), 401, 'provider_refused');
  for (const slot of ['2', 'google', '0', '%00'])
    refused(t, await app.inject({ url: `/v1/login/${slot}` }), 404, 'not_found');
  refused(t, await app.inject({ url: '/v1/login/2/callback', headers: HTML }), 404, 'not_found');
  const users = app.context.users;
  users.findByIdentity = async () => {
    throw new Error('a bug');
  };
  t.equal((await signInAt(app, provider)).statusCode, 500, 'a bug is shown as one');
});

t.test('a provider that fails is a 503, and everything else goes on', async (t) => {
  const outage = await outsideProvider(t);
  outage.people.set('ada', ada);
  const app = await start({ env: slotOf(outage, '2') });
  const out = async (what: string, headers = {}) => {
    const answer = await app.inject({ url: '/v1/login/2', headers });
    refused(t, answer, 503, 'provider_unavailable');
    t.equal(answer.headers['retry-after'], '5', what);
    t.equal(
      errorAt(await app.inject({ url: '/v1/login/2', headers: HTML })),
      'provider_unavailable',
    );
  };
  outage.fault = 'broken';
  await out('broken');
  outage.fault = 'not json';
  await out('not JSON');
  outage.fault = 'slow';
  await Promise.all([
    out('slow'),
    app.inject({ url: '/v1/login/2' }).then((answer) => t.equal(answer.statusCode, 503)),
    signInAt(app, provider).then(({ headers }) =>
      t.equal(headers.location, ACCOUNT, 'the other provider'),
    ),
  ]);
  outage.fault = 'none';
  t.equal((await signInAt(app, outage, { slot: '2' })).headers.location, ACCOUNT, 'it is back');

  // Between leaving and coming back.
  const left = await app.inject({ url: '/v1/login/2', headers: HTML });
  const back = await followedAt(outage, String(left.headers.location));
  outage.fault = 'broken';
  const cookie = cookieHeader(cookiesIn(left));
  const answer = await app.inject({ url: pathOf(back), headers: { ...HTML, cookie } });
  t.equal(errorAt(answer), 'provider_unavailable');
  t.notMatch(app.events(), ['sign_in.refused'], 'nothing was checked');

  // What was discovered is used on.
  outage.fault = 'none';
  app.clock.advance(3_600_000);
  outage.fault = 'broken';
  const before = outage.asked.length;
  for (const seconds of [0, 29, 1]) {
    app.clock.advance(seconds * 1_000);
    t.equal((await app.inject({ url: '/v1/login/2' })).statusCode, 303);
  }
  t.equal(outage.asked.length - before, 2, 'it is asked once in half a minute');
  await outage.close();
  app.clock.advance(30_000);
  t.equal((await app.inject({ url: '/v1/login/2' })).statusCode, 303);
  const reasons = new Set(app.logs.map(({ reason }) => reason).filter(Boolean));
  t.same(
    reasons,
    new Set([
      'ClientError OAUTH_RESPONSE_IS_NOT_CONFORM',
      'ClientError OAUTH_RESPONSE_IS_NOT_JSON',
      'ClientError OAUTH_TIMEOUT',
    ]),
  );
});

t.test(
  'a registration that the provider does not know is a 503, with its reason in the log',
  async (t) => {
    const wrong = { CLIENT_SECRET: 'another secret' };
    const app = await start({ env: slotOf(provider, '1', wrong) });
    t.equal(errorAt(await signInAt(app, provider)), 'provider_unavailable');
    const reason = 'ResponseBodyError OAUTH_RESPONSE_BODY_ERROR invalid_client';
    t.match(app.logs.at(-1), { code: 'provider_unavailable', reason });
    t.notMatch(JSON.stringify(app.logs), /another secret/);
    const slashed = await start({ env: { OIDC_1_ISSUER: `${provider.issuer}/` } });
    refused(t, await slashed.inject({ url: '/v1/login/1' }), 503, 'provider_unavailable');
    t.equal(slashed.logs.at(-1)?.['reason'], 'ForeignMetadata');
  },
);

t.test('a provider that nobody can reach is a 503', async (t) => {
  const app = await start({ env: { OIDC_1_ISSUER: `http://127.0.0.1:${await freePort()}` } });
  refused(t, await app.inject({ url: '/v1/login/1' }), 503, 'provider_unavailable');
  t.equal(app.logs.at(-1)?.['reason'], 'TypeError ECONNREFUSED');
  const secure = await start({ env: { OIDC_1_ISSUER: provider.issuer.replace('http', 'https') } });
  refused(t, await secure.inject({ url: '/v1/login/1' }), 503, 'provider_unavailable');
  t.match(secure.logs.at(-1)?.['reason'], /^TypeError ERR_SSL/, 'it does not speak TLS');
});

t.test('the keys of the provider change, and sign-ins go on', async (t) => {
  const app = await start();
  t.equal((await signInAt(app, provider)).headers.location, ACCOUNT);
  await provider.rotateKeys();
  // Not more often than once a second.
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  t.equal((await signInAt(app, provider)).headers.location, ACCOUNT);
});

t.test('a client may authenticate as the provider wants, or not at all', async (t) => {
  for (const clientId of ['latchkey', 'basic', 'public']) {
    const methods = clientId === 'basic' ? ['client_secret_basic'] : undefined;
    const picky = await outsideProvider(t, {
      more: {
        ...(methods && { clientAuthMethods: methods as never }),
        ...(clientId === 'basic' && { conformIdTokenClaims: true }),
      },
      ...(methods && { clients: ['basic'] }),
    });
    picky.people.set('ada', ada);
    const env = slotOf(picky, '1', {
      CLIENT_ID: clientId,
      ...(clientId === 'public' && { CLIENT_SECRET: '' }),
    });
    const app = await start({ env });
    t.equal((await signInAt(app, picky)).headers.location, ACCOUNT, clientId);
    const asked = picky.asked.includes('/me');
    t.equal(asked, clientId === 'basic', 'user info is asked if the ID token has no address');
  }
});

t.test('each refusal is a problem for a client that is no browser', async (t) => {
  const accept = {};
  const two = { cookie: '__Secure-latchkey_device=a; __Secure-latchkey_device=b' };
  const closed = await start({ env: { SIGN_UP: 'closed' } });
  refused(t, await signInAt(closed, provider, { accept }), 403, 'sign_up_closed');
  refused(t, await sendIdToken(closed, provider, ada), 403, 'sign_up_closed');
  const app = await start();
  const { inject, post, as } = app;
  refused(t, await inject({ url: '/v1/login/1', headers: two }), 400, 'ambiguous_credentials');
  const cookie = '__Host-latchkey_provider=a; __Host-latchkey_provider=b';
  const back = await inject({ url: '/v1/login/1/callback', headers: { cookie } });
  refused(t, back, 400, 'ambiguous_credentials');
  const given = { provider: '1', id_token: 'x', nonce_token: 'x' };
  refused(t, await post('/v1/login/id-token', given, two), 400, 'ambiguous_credentials');
  provider.people.set('ada', {});
  refused(t, await signInAt(app, provider, { accept }), 403, 'provider_unlinked');

  const { id, access_token } = await signedIn(app, 'grace@example.com');
  const link = { method: 'POST', url: '/v1/me/identities', payload: given } as const;
  const other = { ...link, payload: { ...given, provider: '2' } };
  refused(t, await as(access_token, other), 404, 'not_found');
  const leave = { method: 'POST', url: '/v1/me/identities/1/redirect', payload: {} } as const;
  const left = await as(access_token, leave);
  const path = pathOf(await followedAt(provider, left.json().url));
  const kept = { cookie: cookieHeader(cookiesIn(left)) };
  await app.context.users.change(id, (user) => ({
    user: { ...user, email_verified_at: null },
    result: undefined,
  }));
  refused(t, await inject({ url: path, headers: kept }), 403, 'email_unverified');
  const again = await inject({ url: '/v1/login/1' });
  const last = pathOf(await followedAt(provider, String(again.headers.location)));
  provider.fault = 'broken';
  const headers = { cookie: cookieHeader(cookiesIn(again)) };
  refused(t, await inject({ url: last, headers }), 503, 'provider_unavailable');
  const down = await start();
  provider.fault = 'broken';
  const owner = await signedIn(down, 'grace@example.com');
  const token = owner.access_token;
  const url = '/v1/me/identities';
  refused(t, await sendIdToken(down, provider, {}, { url, token }), 503, 'provider_unavailable');
});
