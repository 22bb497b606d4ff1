import t from 'tap';
import { codeAt, withFactor, wrongCode } from '../authenticator.ts';
import { admin, passwordHash, signedIn } from '../people.ts';
import { PASSWORD, type TestApp, testApp } from '../test-app.ts';

const NEWER = { a: ['newer'] };

type Members = Record<string, unknown>;
const marked = <Part extends object>(part: Part) => ({ ...part, newer: NEWER });

/** As if a newer version had added members everywhere in the JSON of this row. */
const mark = ({ context }: TestApp, id: string) =>
  context.users.change(id, (user) => {
    const { mfa } = user;
    const parts = Object.entries(mfa).map(([name, part]) => [
      name,
      Array.isArray(part) ? part.map(marked) : marked(part as object),
    ]);
    return {
      user: {
        ...user,
        sessions: user.sessions.map(marked),
        throttle: user.throttle.map(marked),
        mfa: marked(Object.fromEntries(parts) as typeof mfa),
      },
      result: undefined,
    };
  });

/** Which of these places in the JSON still have what the newer version wrote. */
async function kept({ context }: TestApp, id: string) {
  const { sessions, throttle, mfa } = (await context.users.findById(id)) ?? {};
  const parts: Record<string, unknown> = {
    mfa,
    totp: mfa?.totp,
    pending: mfa?.pending,
    recovery: mfa?.recovery,
    challenge: mfa?.challenges[0],
    session: sessions?.[0],
    bucket: throttle?.[0],
  };
  return Object.keys(parts).filter((name) => (parts[name] as Members | undefined)?.['newer']);
}

t.test('what a newer version added to a session survives every change of it', async (t) => {
  const app = await testApp(t);
  const ada = await signedIn(app, 'ada@example.com', { password_hash: passwordHash(app) });
  await app.login('ada@example.com', 'the wrong password, alas');
  await mark(app, ada.id);
  const stays = async (what: string) =>
    t.same(await kept(app, ada.id), ['mfa', 'session', 'bucket'], what);

  await stays('at first');
  app.clock.advance(1);
  const { access_token } = (await app.refresh(ada.refresh_token)).json();
  await stays('a refresh');
  app.clock.advance(1);
  t.equal((await app.refresh(ada.refresh_token)).statusCode, 200);
  await stays('a repeated refresh');
  t.equal((await app.login('ada@example.com', 'the wrong password, alas')).statusCode, 401);
  await stays('a wrong guess');
  t.equal((await app.login('ada@example.com')).statusCode, 200);
  await stays('a sign-in elsewhere');
  const root = await admin(app);
  for (const request of [
    { method: 'PATCH', url: '/v1/me', payload: { name: 'Ada' }, by: access_token },
    { method: 'DELETE', url: '/v1/me/sessions?except=current', by: access_token },
    {
      method: 'PATCH',
      url: `/v1/users/${ada.id}`,
      payload: { roles: ['x'] },
      by: root.access_token,
    },
    { method: 'DELETE', url: `/v1/users/${ada.id}/sessions`, by: root.access_token },
  ] as const) {
    const { by, ...rest } = request;
    const { statusCode } = await app.as(by, rest);
    t.ok(statusCode < 300, `${rest.method} ${rest.url}: ${statusCode}`);
    await stays(`${rest.method} ${rest.url}`);
  }
});

t.test('what a newer version added to the second factor survives every use of it', async (t) => {
  const app = await testApp(t);
  const email = 'ada@example.com';
  const { tokens, secret, recoveryCodes, code } = await withFactor(t, app, email);
  const { sub: id } = app.context.accessTokens.read(tokens.access_token);
  const challenge = async () => (await app.login(email)).json<{ mfa_token: string }>().mfa_token;
  const answer = (mfa_token: string, proof: object) =>
    app.post('/v1/login/mfa', { mfa_token, ...proof });
  const mfa_token = await challenge();
  const wrong = wrongCode(secret, app.clock.now);
  t.equal((await answer(mfa_token, { code: wrong })).statusCode, 401);
  await mark(app, id);
  const stays = async (what: string, places: string[]) => {
    const found = await kept(app, id);
    t.same(
      places.filter((place) => !found.includes(place)),
      [],
      what,
    );
  };
  const whole = ['mfa', 'totp', 'recovery'];
  await stays('at first', [...whole, 'challenge', 'session']);
  t.equal((await answer(mfa_token, { code: code() })).statusCode, 200);
  await stays('a code', [...whole, 'challenge']);
  t.equal((await answer(await challenge(), { recovery_code: recoveryCodes[0] })).statusCode, 200);
  await stays('a recovery code', whole);

  const proof = () => ({ password: PASSWORD, code: code() });
  const renewed = await app.as(tokens.access_token, {
    method: 'POST',
    url: '/v1/me/mfa/recovery-codes',
    payload: proof(),
  });
  t.equal(renewed.statusCode, 200);
  await stays('new recovery codes', ['mfa', 'totp']);
  const removed = await app.as(tokens.access_token, {
    method: 'DELETE',
    url: '/v1/me/mfa/totp',
    payload: proof(),
  });
  t.equal(removed.statusCode, 204);
  await stays('without a second factor', ['mfa']);
  const begun = await app.as(tokens.access_token, {
    method: 'POST',
    url: '/v1/me/mfa/totp',
    payload: { password: PASSWORD },
  });
  await mark(app, id);
  const next = begun.json<{ secret: string }>().secret;
  const confirm = (code: string) =>
    app.as(tokens.access_token, {
      method: 'POST',
      url: '/v1/me/mfa/totp/confirm',
      payload: { code },
    });
  await confirm(wrongCode(next, app.clock.now));
  await stays('a wrong code', ['mfa', 'pending']);
  t.equal((await confirm(codeAt(next, app.clock.now))).statusCode, 200);
  await stays('another second factor', ['mfa', 'totp']);
  const { mfa } = (await app.context.users.findById(id)) ?? {};
  t.notOk(mfa?.totp && 'tries' in mfa.totp, 'the tries were of the pending one');
});
