import { generateKeyPairSync } from 'node:crypto';
import t, { type Test } from 'tap';
import { cookiesIn, outsideProvider, presentClock, slotOf } from '../../../oidc-provider.ts';
import { factor, signedIn } from '../../../people.ts';
import { refused } from '../../../refused.ts';
import { type Options, type TestApp, testApp } from '../../../test-app.ts';

const provider = await outsideProvider(t);
const ada = { email: 'ada@example.com', email_verified: true };

async function start(t: Test, options: Options = {}) {
  const env = { ...slotOf(provider), ...options.env };
  const app = await testApp(t, { clock: presentClock(), ...options, env });
  const nonceFor = async (slot = '1') =>
    (await app.post('/v1/login/id-token/nonce', { provider: slot })).json<{
      nonce: string;
      nonce_token: string;
      expires_in: number;
    }>();
  const send = (id_token: string, nonce_token: string, more = {}) =>
    app.post('/v1/login/id-token', { provider: '1', id_token, nonce_token, ...more });
  /** With an ID token of these claims. */
  const sendNew = async (claims = {}, more = {}) => {
    const { nonce, nonce_token } = await nonceFor();
    return send(await provider.idToken({ nonce, ...ada, ...claims }), nonce_token, more);
  };
  return { app, nonceFor, send, sendNew };
}

const everybody = ({ context }: TestApp) => context.users.list({ kind: 'person', limit: 10 });

t.test('an app signs in with the ID token that the phone has got', async (t) => {
  const { app, nonceFor, sendNew } = await start(t);
  t.equal((await nonceFor()).expires_in, 600);
  const first = await sendNew();
  t.equal(first.statusCode, 200, first.payload);
  const { access_token, device_token } = first.json();
  t.same((await app.as(access_token, { url: '/v1/whoami' })).json().amr, ['fed']);
  const second = await sendNew({ aud: 'other-app' }, { device_token });
  const deviceOf = (token: string) => app.context.ownTokens.read('device', token)?.jti;
  t.equal(deviceOf(second.json().device_token), deviceOf(device_token), 'the device is known');
  const third = await sendNew({}, { transport: 'cookie' });
  t.ok(cookiesIn(third).has('__Secure-latchkey_refresh'));
  t.equal((await everybody(app)).length, 1);
  t.same(app.events(), ['account.created', 'sign_in.ok', 'sign_in.ok', 'sign_in.ok']);
});

t.test('every other ID token is refused, and nobody comes in', async (t) => {
  const other = await outsideProvider(t);
  const { app, nonceFor, send, sendNew } = await start(t, { env: slotOf(other, '2') });
  const now = Math.floor(Date.now() / 1_000);
  const wrong: Record<string, object> = {
    'for another audience': { aud: 'somebody-else' },
    'for this service in the browser': { aud: 'latchkey' },
    'for several': { aud: ['app', 'somebody-else'] },
    'of another issuer': { iss: other.issuer },
    stale: { iat: now - 700 },
    'of the future': { iat: now + 120 },
    expired: { iat: now - 120, exp: now - 60 },
    'without an end': { exp: undefined },
    'without a begin': { iat: undefined },
    'without a subject': { sub: undefined },
    'with an empty one': { sub: '' },
    'with a long one': { sub: 'a'.repeat(256) },
    'with one that is no ASCII': { sub: 'ädä' },
    'without a nonce': { nonce: undefined },
    'with another nonce': { nonce: 'another' },
  };
  for (const [what, claims] of Object.entries(wrong)) {
    t.comment(what);
    refused(t, await sendNew(claims), 401, 'provider_refused');
  }
  const { nonce, nonce_token } = await nonceFor();
  const claims = { nonce, ...ada };
  const fine = await provider.idToken(claims);
  const [header = '', payload = '', signature = ''] = fine.split('.');
  const alg = (name: string) => Buffer.from(JSON.stringify({ alg: name })).toString('base64url');
  const forger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const jwk = { ...forger.export({ format: 'jwk' }), kid: 'unknown' };
  const forged: Record<string, string> = {
    'of another provider': await other.idToken({ ...claims, iss: provider.issuer }),
    'signed by a stranger': await provider.idToken(claims, { key: jwk as never }),
    'with another payload': [header, alg('x'), signature].join('.'),
    'not signed': [alg('none'), payload, ''].join('.'),
    'with a secret': [alg('HS256'), payload, signature].join('.'),
    'none at all': 'x',
  };
  for (const [what, token] of Object.entries(forged)) {
    t.comment(what);
    refused(t, await send(token, nonce_token), 401, 'provider_refused');
  }
  refused(t, await send(fine, (await nonceFor()).nonce_token), 401, 'provider_refused');
  refused(t, await send(fine, (await nonceFor('2')).nonce_token), 401, 'provider_refused');
  refused(t, await send(fine, nonce), 401, 'provider_refused');
  refused(t, await send(fine, nonce_token, { provider: '2' }), 401, 'provider_refused');
  refused(t, await send(fine, nonce_token, { provider: '3' }), 404, 'not_found');
  refused(t, await app.post('/v1/login/id-token/nonce', { provider: '3' }), 404, 'not_found');
  t.same(await everybody(app), []);
  t.equal((await send(fine, nonce_token)).statusCode, 200, 'it is good still');
  const late = await nonceFor();
  const lateToken = await provider.idToken({ nonce: late.nonce, ...ada });
  app.clock.advance(600_000);
  refused(t, await send(lateToken, late.nonce_token), 401, 'provider_refused');
});

t.test('a nonce is used once, also by twenty at once', async (t) => {
  const { app, nonceFor, send, sendNew } = await start(t);
  const { nonce, nonce_token } = await nonceFor();
  const token = await provider.idToken({ nonce, ...ada });
  const answers = await Promise.all(Array.from({ length: 20 }, () => send(token, nonce_token)));
  t.equal(answers.filter(({ statusCode }) => statusCode === 200).length, 1, 'a new account');
  refused(t, await send(token, nonce_token), 401, 'provider_refused');
  t.equal((await everybody(app))[0]?.sessions.length, 1);

  const again = await nonceFor();
  const known = await provider.idToken({ nonce: again.nonce, ...ada });
  const more = await Promise.all(Array.from({ length: 20 }, () => send(known, again.nonce_token)));
  t.equal(more.filter(({ statusCode }) => statusCode === 200).length, 1, 'a known one');

  for (let count = 2; count < 20; count += 1) t.equal((await sendNew()).statusCode, 200);
  refused(t, await sendNew(), 401, 'provider_refused');
  t.equal((await everybody(app))[0]?.used_nonces.length, 20, 'none is forgotten before its time');
  app.clock.advance(601_000);
  const now = Math.floor(app.clock.now / 1_000);
  t.equal((await sendNew({ iat: now, exp: now + 60 })).statusCode, 200);
  t.equal((await everybody(app))[0]?.used_nonces.length, 1, 'and then it is');
});

t.test('the second factor is asked for, and the nonce is used up', async (t) => {
  const { app, nonceFor, send } = await start(t);
  const { id } = await signedIn(app, 'ada@example.com', { identity_1: `${provider.issuer}|ada` });
  const { mfa, code } = factor(app, { id });
  await app.context.users.change(id, (user) => ({ user: { ...user, mfa }, result: undefined }));
  const { nonce, nonce_token } = await nonceFor();
  const token = await provider.idToken({ nonce });
  const half = await send(token, nonce_token);
  t.equal(half.statusCode, 202);
  t.match(half.json(), { methods: ['totp'], expires_in: 300 });
  refused(t, await send(token, nonce_token), 401, 'provider_refused');
  const { mfa_token } = half.json();
  t.equal((await app.post('/v1/login/mfa', { mfa_token, code: code() })).statusCode, 200);
});

t.test('Apple says it in a text, and Microsoft with a claim of its own', async (t) => {
  const { sendNew } = await start(t);
  const verified = { email_verified: 'true', email: 'apple@example.com', sub: 'apple' };
  t.equal((await sendNew(verified)).statusCode, 200);
  const not = { email_verified: 'false', email: 'other@example.com', sub: 'other' };
  refused(t, await sendNew(not), 403, 'provider_unlinked');
});

t.test(
  'the keys of the provider change, and anyone’s tokens do not make it ask for them',
  async (t) => {
    const turning = await outsideProvider(t);
    const { app, nonceFor } = await start(t, { env: slotOf(turning, '2') });
    const sendTo = async (token: (nonce: string) => Promise<string>) => {
      const { nonce, nonce_token } = await nonceFor('2');
      const id_token = await token(nonce);
      return app.post('/v1/login/id-token', { provider: '2', id_token, nonce_token });
    };
    const honest = () => sendTo((nonce) => turning.idToken({ nonce, ...ada }));
    t.equal((await honest()).statusCode, 200);
    const looks = () => turning.asked.filter((path) => path === '/jwks').length;
    const before = looks();
    await Promise.all(
      Array.from({ length: 20 }, () =>
        sendTo((nonce) => provider.idToken({ nonce, iss: turning.issuer })),
      ),
    );
    t.ok(looks() - before <= 1, 'at most once a second');
    await turning.rotateKeys();
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    t.equal((await honest()).statusCode, 200);
    turning.fault = 'broken';
    await turning.rotateKeys();
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    refused(t, await honest(), 503, 'provider_unavailable');
  },
);
