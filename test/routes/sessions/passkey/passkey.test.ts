import { decodeJwt } from 'jose';
import t from 'tap';
import type { User } from '../../../../src/schemas/user.ts';
import {
  add,
  type Forgery,
  ORIGIN,
  offered,
  type PasskeyOwner,
  requested,
  SoftAuthenticator,
  SYNCED,
  signInWith,
  VERIFIED,
  withPasskey,
} from '../../../passkeys.ts';
import { signedIn } from '../../../people.ts';
import { refused } from '../../../refused.ts';
import { type TestApp, testApp } from '../../../test-app.ts';

const rowOf = async ({ context }: TestApp, id: string) =>
  (await context.users.findById(id)) as User;

t.test('a passkey signs in without an address and without a second factor', async (t) => {
  const app = await testApp(t);
  const ada = await withPasskey(app, 'ada@example.com');
  app.clock.advance(1_000);
  const answer = await signInWith(app, ada.passkey.get(await requested(app)));
  t.equal(answer.statusCode, 200);
  const { access_token, refresh_token } = answer.json();
  t.match(decodeJwt(access_token), { sub: ada.id, amr: ['hwk', 'user'] });
  t.equal((await app.refresh(refresh_token)).statusCode, 200);
  const row = await rowOf(app, ada.id);
  t.equal(row.last_login_at, app.clock.now);
  t.match(row.passkeys, [{ last_used_at: app.clock.now, used: [{}] }]);
  t.same(
    app.events().filter((name) => !name.startsWith('mail.')),
    ['passkey.added', 'sign_in.ok'],
  );
});

t.test('a passkey that is synced says so, in amr and in the list', async (t) => {
  const app = await testApp(t);
  const ada = await withPasskey(app, 'ada@example.com');
  ada.passkey.flags |= SYNCED;
  const answer = await signInWith(app, ada.passkey.get(await requested(app)));
  t.match(decodeJwt(answer.json().access_token), { amr: ['swk', 'user'] });
  t.match((await rowOf(app, ada.id)).passkeys, [{ backed_up: true }]);
});

t.test('with an address, only a passkey of that account signs in', async (t) => {
  const app = await testApp(t);
  const ada = await withPasskey(app, 'ada@example.com');
  const bob = await withPasskey(app, 'bob@example.com');
  const options = await requested(app, ' ADA@example.com');
  refused(t, await signInWith(app, bob.passkey.get(options)), 401, 'passkey_refused');
  t.equal((await signInWith(app, ada.passkey.get(options))).statusCode, 200);
});

t.test('options are the same for a known and an unknown address', async (t) => {
  const app = await testApp(t);
  await withPasskey(app, 'ada@example.com');
  const bodies = await Promise.all(
    ['ada@example.com', 'none@example.com'].map(async (email) => {
      const { challenge, ...others } = await requested(app, email);
      return { ...others, length: challenge.length };
    }),
  );
  t.same(bodies[0], bodies[1]);
  t.match(bodies[0], { rpId: 'localhost', userVerification: 'required', timeout: 300_000 });
});

t.test('the device of an earlier sign-in stays the same device', async (t) => {
  const app = await testApp(t);
  const ada = await withPasskey(app, 'ada@example.com');
  const { device_token } = ada;
  const answer = await signInWith(app, ada.passkey.get(await requested(app)), { device_token });
  t.equal(decodeJwt(answer.json().device_token).jti, decodeJwt(device_token).jti);
});

t.test('the tokens can travel in cookies', async (t) => {
  const app = await testApp(t);
  const ada = await withPasskey(app, 'ada@example.com');
  const passkey = ada.passkey.get(await requested(app));
  const answer = await app.post(
    '/v1/login/passkey',
    { passkey, transport: 'cookie' },
    { origin: ORIGIN },
  );
  t.match(String(answer.headers['set-cookie']), /__Secure-latchkey_refresh=/);
  t.notOk(answer.json().refresh_token);
});

t.test('an assertion that is sent 20 times at once signs in once', async (t) => {
  const app = await testApp(t);
  const ada = await withPasskey(app, 'ada@example.com');
  const passkey = ada.passkey.get(await requested(app));
  const answers = await Promise.all(Array.from({ length: 20 }, () => signInWith(app, passkey)));
  const good = answers.filter(({ statusCode }) => statusCode === 200);
  t.equal(good.length, 1);
  for (const answer of answers) if (answer !== good[0]) refused(t, answer, 401, 'passkey_refused');
  refused(t, await signInWith(app, passkey), 401, 'passkey_refused');
  t.equal((await rowOf(app, ada.id)).sessions.length, 2);
});

t.test('an assertion that counts, replayed, is no copy of the passkey', async (t) => {
  const app = await testApp(t);
  const ada = await withPasskey(app, 'ada@example.com');
  const passkey = ada.passkey.get(await requested(app), { counter: 7 });
  t.equal((await signInWith(app, passkey)).statusCode, 200);
  refused(t, await signInWith(app, passkey), 401, 'passkey_refused');
  t.notOk(app.events().includes('passkey.copied'));
});

t.test('a passkey answers at most 20 challenges in their five minutes', async (t) => {
  const app = await testApp(t);
  const ada = await withPasskey(app, 'ada@example.com');
  const signIn = async () => signInWith(app, ada.passkey.get(await requested(app)));
  for (let count = 0; count < 20; count += 1) t.equal((await signIn()).statusCode, 200);
  refused(t, await signIn(), 401, 'passkey_refused');
  app.clock.advance(300_000);
  t.equal((await signIn()).statusCode, 200, 'and again after that');
  t.equal((await rowOf(app, ada.id)).passkeys[0]?.used.length, 1, 'the expired ones are gone');
});

t.test('a signature counter that goes back is refused, and the owner is told', async (t) => {
  const app = await testApp(t);
  const ada = await withPasskey(app, 'ada@example.com');
  const use = async (counter: number) =>
    signInWith(app, ada.passkey.get(await requested(app), { counter }));
  t.equal((await use(7)).statusCode, 200);
  t.equal((await use(8)).statusCode, 200);
  for (const counter of [8, 7, 0]) refused(t, await use(counter), 403, 'passkey_copied');
  t.equal(app.events().filter((name) => name === 'passkey.copied').length, 3);
  t.notOk(app.events().includes('sign_in.refused'));
  t.equal((await rowOf(app, ada.id)).passkeys[0]?.counter, 8);
  t.equal((await use(9)).statusCode, 200);
});

t.test('an account without an address can have its passkey copied too', async (t) => {
  const app = await testApp(t);
  const ada = await withPasskey(app, 'ada@example.com');
  await app.context.users.change(ada.id, (user) => ({
    user: { ...user, email: null, email_key: null },
    result: undefined,
  }));
  const use = async (counter: number) =>
    signInWith(app, ada.passkey.get(await requested(app), { counter }));
  await use(7);
  refused(t, await use(6), 403, 'passkey_copied');
});

const stranger = new SoftAuthenticator();

/** What others make of an assertion, or of its challenge. */
const forgeries: Record<string, (world: World) => Forgery | Promise<Forgery>> = {
  'another origin': () => ({ origin: 'https://evil.example.com' }),
  'another port of the host': () => ({ origin: 'http://localhost:3001' }),
  'the origin as an app of a phone has it': () => ({ origin: 'android:apk-key-hash:AAAA' }),
  'another RP ID': () => ({ rpId: 'evil.example.com' }),
  'no user verification': () => ({ flags: 0x01 }),
  'nobody present': () => ({ flags: VERIFIED }),
  'backup flags that contradict each other': () => ({ flags: 0x01 | VERIFIED | 0x10 }),
  'a frame of another site': () => ({ crossOrigin: true }),
  'the answer of another ceremony': () => ({ type: 'webauthn.create' }),
  'the signature of another key': () => ({ signedBy: stranger.keys.privateKey }),
  'an unknown passkey': () => ({ id: stranger.id }),
  'the handle of another user': ({ bob }) => ({ user: bob.id }),
  'the handle of nobody': () => ({ user: '01990d6e-7c3f-7a51-9c6b-0c1d2e3f4a5b' }),
  'a handle that is no ID': () => ({ user: '\0' }),
  'no challenge of ours': () => ({ challenge: 'AAAA' }),
  'a challenge that is no text': () => ({ challenge: 7 as unknown as string }),
  'a forged challenge': async ({ app }) => {
    const token = Buffer.from((await requested(app)).challenge, 'base64url').toString();
    const [header, , signature] = token.split('.');
    const claims = Buffer.from(JSON.stringify({ ...decodeJwt(token), exp: 9e9 }));
    const forged = [header, claims.toString('base64url'), signature].join('.');
    return { challenge: Buffer.from(forged).toString('base64url') };
  },
  'the challenge of another address': async ({ app }) => requested(app, 'bob@example.com'),
  'a challenge for a new passkey': async ({ app, ada }) => {
    const url = '/v1/me/passkeys/options';
    const answer = await app.as(ada.access_token, { method: 'POST', url, payload: {} });
    return { challenge: answer.json().options.challenge };
  },
};

interface World {
  app: TestApp;
  ada: PasskeyOwner;
  bob: PasskeyOwner;
}

for (const [what, forge] of Object.entries(forgeries)) {
  t.test(`a passkey with ${what} does not sign in`, async (t) => {
    const app = await testApp(t);
    const ada = await withPasskey(app, 'ada@example.com');
    const bob = await withPasskey(app, 'bob@example.com');
    const forgery = await forge({ app, ada, bob });
    const before = await rowOf(app, ada.id);
    const answer = await signInWith(app, ada.passkey.get(await requested(app), forgery));
    refused(t, answer, 401, 'passkey_refused');
    t.same(await rowOf(app, ada.id), before, 'and nothing is written');
    t.equal(app.events().filter((name) => name === 'sign_in.refused').length, 1);
  });
}

t.test('client data and authenticator data that cannot be read are refused', async (t) => {
  const app = await testApp(t);
  const ada = await withPasskey(app, 'ada@example.com');
  const good = ada.passkey.get(await requested(app)) as { response: object };
  for (const changes of [
    { clientDataJSON: 'AAAA' },
    { clientDataJSON: Buffer.from('null').toString('base64url') },
    { authenticatorData: 'AAAA' },
    { signature: 'AAAA' },
  ]) {
    const passkey = { ...good, response: { ...good.response, ...changes } };
    refused(t, await signInWith(app, passkey), 401, 'passkey_refused');
  }
  const { userHandle: _handle, ...response } = good.response as Record<string, string>;
  refused(t, await signInWith(app, { ...good, response }), 422, 'invalid_input');
  t.equal((await signInWith(app, good)).statusCode, 200);
});

t.test('an expired challenge does not sign in', async (t) => {
  const app = await testApp(t);
  const ada = await withPasskey(app, 'ada@example.com');
  const options = await requested(app);
  app.clock.advance(300_000);
  refused(t, await signInWith(app, ada.passkey.get(options)), 401, 'passkey_refused');
});

t.test('a disabled user does not sign in with a passkey', async (t) => {
  const app = await testApp(t);
  const ada = await withPasskey(app, 'ada@example.com');
  await app.context.users.change(ada.id, (user) => ({
    user: { ...user, status: 'disabled' },
    result: undefined,
  }));
  const answer = await signInWith(app, ada.passkey.get(await requested(app)));
  refused(t, answer, 401, 'passkey_refused');
});

t.test('a user who is disabled while the signature is checked does not sign in', async (t) => {
  const app = await testApp(t);
  const ada = await withPasskey(app, 'ada@example.com');
  const { passkeys, users } = app.context;
  const verify = passkeys.verify.bind(passkeys);
  passkeys.verify = async (...args) => {
    const verified = await verify(...args);
    await users.change(ada.id, (user) => ({
      user: { ...user, status: 'disabled' },
      result: undefined,
    }));
    return verified;
  };
  const answer = await signInWith(app, ada.passkey.get(await requested(app)));
  refused(t, answer, 401, 'passkey_refused');
});

t.test('one credential of two users opens the account that it names', async (t) => {
  const app = await testApp(t);
  const ada = await withPasskey(app, 'ada@example.com');
  // Mallory registers Ada's credential ID, with a key of her own.
  const mallory = await signedIn(app, 'mallory@example.com', { email_verified_at: 1 });
  const copy = new SoftAuthenticator(ada.passkey.id);

  const options = await offered(app, mallory.access_token);
  t.equal((await add(app, mallory.access_token, copy.create(options))).statusCode, 201);

  const subject = async (passkey: object) => {
    const answer = await signInWith(app, passkey);
    return answer.statusCode === 200
      ? decodeJwt(answer.json().access_token).sub
      : answer.json().code;
  };
  const use = async (one: SoftAuthenticator, user: string) =>
    subject(one.get(await requested(app), { user }));
  t.equal(await use(ada.passkey, ada.id), ada.id);
  t.equal(await use(copy, mallory.id), mallory.id);
  t.equal(await use(copy, ada.id), 'passkey_refused');
  t.equal(await use(ada.passkey, mallory.id), 'passkey_refused');
});

t.test('an unknown passkey and a wrong one get the same bytes', async (t) => {
  const app = await testApp(t);
  const ada = await withPasskey(app, 'ada@example.com');
  const answerTo = async (forgery: Forgery) => {
    const answer = await signInWith(app, ada.passkey.get(await requested(app), forgery));
    const { instance: _id, ...body } = answer.json();
    return { status: answer.statusCode, body };
  };
  const wrong = await answerTo({ signedBy: stranger.keys.privateKey });
  t.same(await answerTo({ id: stranger.id }), wrong);
  t.same(await answerTo({ user: 'nobody' }), wrong);
});

t.test('app pages at another host use passkeys of the domain that both share', async (t) => {
  const env = {
    ISSUER: 'https://id.example.com',
    APP_URL: 'https://app.example.com',
    PASSKEY_RP_ID: 'example.com',
  };
  const app = await testApp(t, { env });
  const ada = await signedIn(app, 'ada@example.com', { email_verified_at: 1 });

  const own = new SoftAuthenticator();
  const rpId = 'example.com';
  const made = own.create(await offered(app, ada.access_token), {
    origin: 'https://app.example.com',
    rpId,
  });
  t.equal((await add(app, ada.access_token, made)).statusCode, 201);
  const use = async (origin: string) =>
    (await signInWith(app, own.get(await requested(app), { origin, rpId }))).statusCode;
  t.equal(await use('https://id.example.com'), 200);
  t.equal(await use('https://app.example.com'), 200);
  t.equal(await use('https://evil.example.com'), 401);
});
