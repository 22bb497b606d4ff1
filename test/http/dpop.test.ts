import { decodeJwt } from 'jose';
import t from 'tap';
import { signUpToken } from '../../src/actions/tokens/mailed-tokens.ts';
import { withFactor } from '../authenticator.ts';
import { clientKey, prover } from '../dpop.ts';
import { oauthRefused } from '../oauth-refused.ts';
import { document } from '../operations.ts';
import { requested, withPasskey } from '../passkeys.ts';
import { basic, form, passwordHash, serviceAccount, signedIn } from '../people.ts';
import { refused } from '../refused.ts';
import { PASSWORD, type TestApp, type Tokens, testApp } from '../test-app.ts';

const key = await clientKey();
const me = { url: '/v1/me' } as const;
const cnf = { jkt: key.jkt };

/** Signs a person in with a proof. */
async function bound(app: TestApp, email: string, headers: Record<string, string> = {}) {
  const { id } = await signedIn(app, email, { password_hash: passwordHash(app) });
  const answer = await prover(app, key).post(
    '/v1/login',
    { email, password: PASSWORD },
    { headers },
  );
  return { id, ...answer.json<Tokens>() };
}

const sessionOf = async ({ context }: TestApp, { id, session_id }: { id: string } & Tokens) =>
  (await context.users.findById(id))?.sessions.find((session) => session.id === session_id);

t.test('every sign-in with a proof starts a bound session', async (t) => {
  const app = await testApp(t);
  const { post, call } = prover(app, key);
  const eve = await withPasskey(app, 'eve@example.com');
  await signedIn(app, 'bob@example.com', { password_hash: passwordHash(app) });
  const { code } = await withFactor(t, app, 'fay@example.com');
  const fay = { email: 'fay@example.com', password: PASSWORD };
  const half = (await app.post('/v1/login', fay)).json();
  const answers = {
    register: await post('/v1/register', { email: 'ada@example.com', password: PASSWORD }),
    'the mailed link': await post('/v1/register/complete', {
      token: signUpToken(app.context, 'cyd@example.com'),
      password: PASSWORD,
    }),
    'a password': await post('/v1/login', { email: 'bob@example.com', password: PASSWORD }),
    'a second factor': await post('/v1/login/mfa', { mfa_token: half.mfa_token, code: code() }),
    'a passkey': await post('/v1/login/passkey', {
      passkey: eve.passkey.get(await requested(app)),
    }),
  };
  for (const [way, answer] of Object.entries(answers)) {
    const tokens = answer.json<Tokens>();
    t.equal(tokens.token_type, 'DPoP', way);
    t.match(decodeJwt(tokens.access_token), { cnf });
    t.match(await sessionOf(app, { id: String(decodeJwt(tokens.access_token).sub), ...tokens }), {
      jkt: key.jkt,
    });
    t.equal((await call(tokens.access_token, me)).statusCode, 200, `${way}: with a proof`);
    const asBearer = await app.as(tokens.access_token, me);
    refused(t, asBearer, 401, 'token_bound');
    t.match(
      asBearer.headers['www-authenticate'],
      /^DPoP realm="Latchkey", error="invalid_token", error_description="[^"]+", algs="ES256 Ed25519 EdDSA PS256 RS256"$/,
    );
  }
});

t.test('a sign-in without a proof starts a Bearer session, as before', async (t) => {
  const app = await testApp(t);
  const ada = await app.signUp();
  t.equal(ada.token_type, 'Bearer');
  t.notHas(decodeJwt(ada.access_token), 'cnf');
  t.equal((await app.as(ada.access_token, me)).statusCode, 200);
});

t.test('a wrong proof refuses the sign-in before anything else is looked at', async (t) => {
  const app = await testApp(t);
  const { post } = prover(app, key);
  for (const email of ['ada@example.com', 'nobody@example.com']) {
    const answer = await post(
      '/v1/login',
      { email, password: PASSWORD },
      { htu: 'https://x.example' },
    );
    refused(t, answer, 401, 'invalid_dpop_proof');
    t.match(
      answer.headers['www-authenticate'],
      /^DPoP realm="Latchkey", error="invalid_dpop_proof"/,
    );
  }
});

t.test(
  'DPO-05 a refresh of a bound session needs a proof of its key, and keeps the key',
  async (t) => {
    const app = await testApp(t);
    const { post, call } = prover(app, key);
    const other = prover(app, await clientKey());
    const ada = await bound(app, 'ada@example.com');
    const body = { refresh_token: ada.refresh_token };

    t.comment('a thief has the refresh token, but not the key');
    const before = await sessionOf(app, ada);
    for (let tries = 0; tries < 3; tries += 1) {
      app.clock.advance(60_000);
      refused(t, await app.refresh(ada.refresh_token), 401, 'invalid_dpop_proof');
      refused(t, await other.post('/v1/refresh', body), 401, 'invalid_dpop_proof');
    }
    t.same(await sessionOf(app, ada), before, 'nothing has changed');
    t.notOk(app.events().includes('session.reuse_detected'));

    const next = (await post('/v1/refresh', body)).json<Tokens>();
    t.match(next, { token_type: 'DPoP', session_id: ada.session_id });
    t.match(decodeJwt(next.access_token), { cnf });
    t.equal((await call(next.access_token, me)).statusCode, 200);
    t.match(await sessionOf(app, ada), { gen: 1, jkt: key.jkt });

    app.clock.advance(60_000);
    t.comment(
      'the spent token: a thief without the key raises no alarm, and a late retry with the key is answered',
    );
    refused(t, await app.refresh(ada.refresh_token), 401, 'invalid_dpop_proof');
    t.equal((await sessionOf(app, ada))?.ended_at, undefined);
    const again = await post('/v1/refresh', body, { headers: { 'idempotency-key': 'another' } });
    t.equal(again.json().refresh_token, next.refresh_token, 'the successor that was missed');
    t.notOk(app.events().includes('session.reuse_detected'));
    const used = { refresh_token: next.refresh_token };
    t.equal((await post('/v1/refresh', used)).statusCode, 200);

    app.clock.advance(60_000);
    t.comment('its successor was used: the key raises the alarm');
    refused(t, await app.refresh(ada.refresh_token), 401, 'invalid_dpop_proof');
    t.equal((await sessionOf(app, ada))?.ended_at, undefined);
    refused(t, await post('/v1/refresh', body), 401, 'refresh_reused');
    t.ok((await sessionOf(app, ada))?.ended_at);
    refused(t, await app.refresh(next.refresh_token), 401, 'refresh_invalid');
  },
);

t.test(
  'a session without a key never gets one, so a thief cannot lock its owner out',
  async (t) => {
    const app = await testApp(t);
    const ada = await app.signUp();
    const { post } = prover(app, key);
    const body = { refresh_token: ada.refresh_token };
    refused(t, await post('/v1/refresh', body), 401, 'invalid_dpop_proof');
    t.equal((await app.refresh(ada.refresh_token)).statusCode, 200);
  },
);

t.test(
  'the second step of a sign-in needs a proof of the key of the first, and keeps its choice of tokens',
  async (t) => {
    const app = await testApp(t);
    const { post } = prover(app, key);
    const other = prover(app, await clientKey());
    const { code } = await withFactor(t, app, 'ada@example.com');
    const credentials = { email: 'ada@example.com', password: PASSWORD };
    const half = async (headers = {}) =>
      (await post('/v1/login', credentials, { headers })).json<{ mfa_token: string }>();

    const { mfa_token } = await half();
    const answer = { mfa_token, code: code() };
    const row = () => app.context.users.findByEmail('ada@example.com');
    const before = await row();
    for (let tries = 0; tries < 6; tries += 1) {
      refused(t, await app.post('/v1/login/mfa', answer), 401, 'invalid_dpop_proof');
      refused(t, await other.post('/v1/login/mfa', answer), 401, 'invalid_dpop_proof');
    }
    t.same(await row(), before, 'no try is spent, and no code');
    t.equal((await post('/v1/login/mfa', answer)).json().token_type, 'DPoP');

    const prefer = { prefer: 'token_type=Bearer' };
    for (const [first, second] of [
      [prefer, {}],
      [{}, prefer],
    ]) {
      const given = { mfa_token: (await half(first)).mfa_token, code: code() };
      const tokens = (await post('/v1/login/mfa', given, { headers: second ?? {} })).json<Tokens>();
      t.equal(tokens.token_type, 'Bearer');
      refused(t, await app.refresh(tokens.refresh_token), 401, 'invalid_dpop_proof');
    }
  },
);

t.test('Prefer: token_type=Bearer binds the refresh token alone', async (t) => {
  const app = await testApp(t);
  const { post } = prover(app, key);
  for (const [index, prefer] of [
    'token_type=Bearer',
    'TOKEN_TYPE = "bearer"',
    'wait=5, token_type=bearer; x=y',
  ].entries()) {
    const ada = await bound(app, `ada${index}@example.com`, { prefer });
    t.equal(ada.token_type, 'Bearer', prefer);
    t.equal((await app.as(ada.access_token, me)).statusCode, 200);
    refused(t, await app.refresh(ada.refresh_token), 401, 'invalid_dpop_proof');
    const answer = await post('/v1/refresh', { refresh_token: ada.refresh_token });
    t.match(answer.json(), { token_type: 'Bearer' }, 'the choice lasts');
    t.equal((await app.as(answer.json().access_token, me)).statusCode, 200);
  }
  for (const prefer of ['token_type=DPoP', 'token_type=Bearers', 'xtoken_type=Bearer']) {
    const { token_type } = await bound(app, `${prefer.length}${prefer[0]}@example.com`, { prefer });
    t.equal(token_type, 'DPoP', prefer);
  }
});

t.test(
  'the tokens of a step-up and of a new password are bound to the key of the session',
  async (t) => {
    const app = await testApp(t);
    const { call } = prover(app, key);
    const ada = await bound(app, 'ada@example.com');
    const stepUp = await call(ada.access_token, {
      method: 'POST',
      url: '/v1/me/verify',
      payload: { password: PASSWORD },
    });
    t.match(stepUp.json(), { token_type: 'DPoP' });
    t.match(decodeJwt(stepUp.json().access_token), { cnf });
    const changed = await call(stepUp.json().access_token, {
      method: 'PUT',
      url: '/v1/me/password',
      payload: { current_password: PASSWORD, new_password: 'a lantern in the rainy harbour' },
    });
    t.match(changed.json(), { token_type: 'DPoP' });
    t.match(decodeJwt(changed.json().access_token), { cnf });
  },
);

t.test(
  'a sign-out needs the access token with its proof, or the refresh token alone',
  async (t) => {
    const app = await testApp(t);
    const { call } = prover(app, key);
    const request = { method: 'POST', url: '/v1/logout' } as const;
    const ada = await bound(app, 'ada@example.com');
    refused(t, await app.as(ada.access_token, request), 401, 'token_bound');
    refused(t, await call(ada.access_token, request, { method: 'GET' }), 401, 'invalid_dpop_proof');
    t.equal((await sessionOf(app, ada))?.ended_at, undefined);
    t.equal((await call(ada.access_token, request)).statusCode, 204);
    t.ok((await sessionOf(app, ada))?.ended_at);
    const bob = await bound(app, 'bob@example.com');
    t.equal((await app.post('/v1/logout', { refresh_token: bob.refresh_token })).statusCode, 204);
    t.ok((await sessionOf(app, bob))?.ended_at);
  },
);

t.test(
  '/oauth/token binds the token of a service account, and refreshes bound sessions',
  async (t) => {
    const app = await testApp(t);
    const { proof, call } = prover(app, key);
    const client = await serviceAccount(app, ['reader']);
    const grant = async (fields: Record<string, string>, headers: Record<string, string> = {}) =>
      form(app, '/oauth/token', fields, headers);
    const dpop = () => proof('POST', '/oauth/token');
    const credentials = { grant_type: 'client_credentials' };
    const answer = await grant(credentials, { ...basic(client), dpop: await dpop() });
    const { access_token, token_type } = answer.json();
    t.equal(token_type, 'DPoP');
    t.equal((await call(access_token, { url: '/v1/whoami' })).json().cnf.jkt, key.jkt);
    refused(t, await app.as(access_token, { url: '/v1/whoami' }), 401, 'token_bound');

    const ada = await bound(app, 'ada@example.com');
    const fields = { grant_type: 'refresh_token', refresh_token: ada.refresh_token };
    oauthRefused(t, await grant(fields), 400, 'invalid_dpop_proof');
    const spoiled = await grant(fields, { dpop: 'x' });
    oauthRefused(t, spoiled, 400, 'invalid_dpop_proof');
    const next = await grant(fields, { dpop: await dpop() });
    t.match(next.json(), { token_type: 'DPoP' });

    const introspect = async (token: string) =>
      (await form(app, '/oauth/introspect', { token }, basic(client))).json();
    t.match(await introspect(next.json().access_token), { active: true, token_type: 'DPoP', cnf });
    const plain = await grant(credentials, basic(client));
    const told = await introspect(plain.json().access_token);
    t.match(told, { active: true, token_type: 'Bearer' });
    t.notHas(told, 'cnf');
  },
);

t.test('an unbound token in the scheme DPoP is refused, and so is a malformed one', async (t) => {
  const app = await testApp(t);
  const { call } = prover(app, key);
  const ada = await app.signUp();
  const answer = await call(ada.access_token, me);
  refused(t, answer, 401, 'token_invalid');
  t.match(
    answer.headers['www-authenticate'],
    /^DPoP realm="Latchkey", error="invalid_token", .*, algs="ES256 /,
  );
  for (const authorization of ['DPoP', 'dpop', 'DPoP\tx'])
    refused(t, await app.inject({ ...me, headers: { authorization } }), 401, 'token_invalid');
  const { id } = await signedIn(app, 'old@example.com');
  const user = await app.context.users.findById(id);
  t.ok(user);
  const expired = await bound(app, 'bob@example.com');
  app.clock.advance(900_000);
  const late = await call(expired.access_token, me);
  refused(t, late, 401, 'token_expired');
  t.match(late.headers['www-authenticate'], /^DPoP .*error="invalid_token"/);
});

t.test('the challenges of a step-up and of a missing role name the scheme DPoP too', async (t) => {
  const app = await testApp(t);
  const { call } = prover(app, key);
  const ada = await bound(app, 'ada@example.com');
  const answer = await call(ada.access_token, { url: '/v1/users' });
  refused(t, answer, 403, 'forbidden');
  t.match(
    answer.headers['www-authenticate'],
    /^DPoP realm="Latchkey", error="insufficient_scope", algs=/,
  );
});

t.test(
  'with DPOP_NONCE=on every proof needs a nonce, and each answer has the next one',
  async (t) => {
    const app = await testApp(t, { env: { DPOP_NONCE: 'on' } });
    const { post, call } = prover(app, key);
    await signedIn(app, 'ada@example.com', { password_hash: passwordHash(app) });
    const credentials = { email: 'ada@example.com', password: PASSWORD };
    const first = await post('/v1/login', credentials);
    refused(t, first, 401, 'use_dpop_nonce');
    t.match(first.headers['www-authenticate'], /^DPoP .*error="use_dpop_nonce"/);
    const nonce = String(first.headers['dpop-nonce']);
    const second = await post('/v1/login', credentials, { claims: { nonce } });
    t.equal(second.statusCode, 200);
    t.ok(second.headers['dpop-nonce']);
    const { access_token } = second.json();
    refused(t, await call(access_token, me), 401, 'use_dpop_nonce');
    const read = await call(access_token, me, { claims: { nonce } });
    t.equal(read.statusCode, 200);
    app.clock.advance(61_000);
    const late = await call(access_token, me, { claims: { nonce } });
    refused(t, late, 401, 'use_dpop_nonce');
    const claims = { nonce: String(late.headers['dpop-nonce']) };
    t.equal((await call(access_token, me, { claims })).statusCode, 200);
    const { proof } = prover(app, key);
    const grant = { grant_type: 'client_credentials' };
    const dpop = await proof('POST', '/oauth/token');
    const oauth = await form(app, '/oauth/token', grant, { dpop });
    oauthRefused(t, oauth, 400, 'use_dpop_nonce');
    t.ok(oauth.headers['dpop-nonce']);
  },
);

t.test(
  'a client whose clock is wrong gets a nonce, and goes on by the clock of the service',
  async (t) => {
    const app = await testApp(t);
    const { call } = prover(app, key);
    const { access_token } = await bound(app, 'ada@example.com');
    const now = app.clock.now / 1_000;
    t.notOk((await call(access_token, me)).headers['dpop-nonce'], 'nobody else needs one');
    for (const iat of [now - 61, now + 6, 0, now - 86_400, now + 86_400]) {
      const answer = await call(access_token, me, { claims: { iat } });
      refused(t, answer, 401, 'use_dpop_nonce');
      const nonce = String(answer.headers['dpop-nonce']);
      const again = await call(access_token, me, { claims: { iat, nonce } });
      t.equal(again.statusCode, 200);
      t.ok(again.headers['dpop-nonce'], 'the next nonce');
    }
    for (const iat of [now - 60, now + 5])
      t.equal((await call(access_token, me, { claims: { iat } })).statusCode, 200);
  },
);

t.test(
  'a service below a path, behind a proxy with TLS, takes the addresses of its ISSUER',
  async (t) => {
    const app = await testApp(t, {
      env: { ISSUER: 'https://example.com/auth', TRUST_PROXY: '127.0.0.1' },
    });
    const ada = await signedIn(app, 'ada@example.com', { password_hash: passwordHash(app) });
    t.ok(ada);
    const { proof } = prover(app, key);
    const send = async (htu: string) =>
      app.app.inject({
        method: 'POST',
        url: '/auth/v1/login',
        payload: { email: 'ada@example.com', password: PASSWORD },
        headers: {
          host: '10.0.0.7:3000',
          'x-forwarded-for': '203.0.113.1',
          'x-forwarded-proto': 'https',
          dpop: await proof('POST', '/', { htu }),
        },
      });
    t.equal((await send('https://example.com/auth/v1/login')).statusCode, 200);
    t.equal((await send('https://EXAMPLE.com:443/auth/v1/login?x=y#z')).statusCode, 200);
    for (const htu of [
      'https://10.0.0.7:3000/auth/v1/login',
      'http://example.com/auth/v1/login',
      'https://example.com/v1/login',
    ])
      refused(t, await send(htu), 401, 'invalid_dpop_proof' as const);
  },
);

t.test(
  'every route that answers with new tokens takes a proof, or knows the session',
  async (t) => {
    const answered = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).flatMap(([method, { responses = {}, parameters = [] }]) => {
        const givesTokens = /schemas\/(?:OAuth)?Tokens"/.test(JSON.stringify(responses));
        const takesDpopProof = parameters.some(({ name }) => name === 'dpop');
        return givesTokens ? [{ route: `${method} ${path}`, takesDpopProof }] : [];
      }),
    );
    t.ok(answered.length >= 8);
    // It answers the tokens of the session that the request belongs to.
    t.same(
      answered.filter(({ takesDpopProof }) => !takesDpopProof).map(({ route }) => route),
      ['put /v1/me/password'],
    );
  },
);
