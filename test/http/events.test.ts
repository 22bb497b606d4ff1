import t, { type Test } from 'tap';
import { notMeToken } from '../../src/actions/tokens/mailed-tokens.ts';
import type { EventName } from '../../src/http/logging.ts';
import type { User } from '../../src/schemas/user.ts';
import { coded, verifyCode } from '../mail-codes.ts';
import { mailbox } from '../mailbox.ts';
import { outsideProvider, presentClock, sendIdToken, slotOf } from '../oidc-provider.ts';
import {
  add,
  offered,
  requested,
  SoftAuthenticator,
  signInWith,
  withPasskey,
} from '../passkeys.ts';
import {
  admin,
  basic,
  factor,
  form,
  serviceAccount,
  serviceAccountToken,
  signedIn,
} from '../people.ts';
import { PASSWORD, testApp } from '../test-app.ts';

const mail = await mailbox(t);
const provider = await outsideProvider(t);
const app = await testApp(t, {
  clock: presentClock(),
  env: { MAIL_URL: mail.url, LOG_LEVEL: 'trace', ...slotOf(provider) },
});
const { context, events, logs, post, as, refresh } = app;
const password_hash = await context.passwords.hash(PASSWORD);
const root = (await admin(app)).access_token;

let count = 0;
const newEmail = () => {
  count += 1;
  return `person${count}@example.com`;
};
const person = (changes = {}) => signedIn(app, newEmail(), { password_hash, ...changes });

/** With an active second factor. */
async function guarded() {
  const made = await person();
  const { mfa, code } = factor(app, made);
  await context.users.change(made.id, (user) => ({ user: { ...user, mfa }, result: undefined }));
  const email = `person${count}@example.com`;
  const login = async () => (await post('/v1/login', { email, password: PASSWORD })).json();
  return { ...made, code, login };
}

/** With a passkey, and its address. */
async function keyed() {
  const made = await withPasskey(app, newEmail());
  const listed = await as(made.access_token, { url: '/v1/me/passkeys' });
  return { ...made, url: `/v1/me/passkeys/${listed.json().passkeys[0].id}` };
}

const asRoot = (method: 'POST' | 'PATCH' | 'DELETE', url: string, payload?: object) =>
  as(root, { method, url, ...(payload && { payload }) });

/** Prepares the state, and returns the act to perform. */
const acts: Record<EventName, () => Promise<() => Promise<unknown>>> = {
  'account.created': async () => () =>
    post('/v1/register', { email: newEmail(), password: PASSWORD }),
  'account.deleted': async () => {
    const { access_token } = await person();
    const payload = { password: PASSWORD };
    return () => as(access_token, { method: 'DELETE', url: '/v1/me', payload });
  },
  'account.disowned': async () => {
    const { id } = await person({ email_verified_at: null });
    const user = (await context.users.findById(id)) as User;
    const token = notMeToken(context, user);
    return () => post('/v1/email/not-me', { token });
  },
  'admin.user_invited': async () => () => asRoot('POST', '/v1/users', { email: newEmail() }),
  'admin.user_changed': async () => {
    const { id } = await person();
    return () => asRoot('PATCH', `/v1/users/${id}`, { roles: ['editor'] });
  },
  'admin.user_deleted': async () => {
    const { id } = await person();
    return () => asRoot('DELETE', `/v1/users/${id}`);
  },
  'admin.sessions_ended': async () => {
    const { id } = await person();
    return () => asRoot('DELETE', `/v1/users/${id}/sessions`);
  },
  'client.sessions_revoked': async () => {
    const { id } = await person();
    const token = await serviceAccountToken(app, await serviceAccount(app, ['sessions:revoke']));
    return () =>
      app.as(token, {
        method: 'POST',
        url: '/v1/global-token-revocation',
        payload: { sub_id: { format: 'opaque', id } },
      });
  },
  'admin.mfa_reset': async () => {
    const { id } = await guarded();
    return () => asRoot('DELETE', `/v1/users/${id}/mfa`);
  },
  'admin.passkeys_removed': async () => {
    const { id } = await keyed();
    return () => asRoot('DELETE', `/v1/users/${id}/passkeys`);
  },
  'admin.identities_unlinked': async () => {
    const { id } = await person({ identity_1: `${provider.issuer}|removed` });
    return () => asRoot('DELETE', `/v1/users/${id}/identities`);
  },
  'admin.service_account_created': async () => () =>
    asRoot('POST', '/v1/service-accounts', { name: 'nightly', password: PASSWORD }),
  'admin.service_account_secret_made': async () => {
    const { id } = await serviceAccount(app);
    return () => asRoot('POST', `/v1/service-accounts/${id}/secret`, { password: PASSWORD });
  },
  'admin.service_account_deleted': async () => {
    const { id } = await serviceAccount(app);
    return () => asRoot('DELETE', `/v1/service-accounts/${id}`);
  },
  'client.token_issued': async () => {
    const client = await serviceAccount(app);
    return () => serviceAccountToken(app, client);
  },
  'client.refused': async () => {
    const client = await serviceAccount(app);
    const wrong = basic({ ...client, secret: 'wrong' });
    return () => form(app, '/oauth/token', { grant_type: 'client_credentials' }, wrong);
  },
  'email.change_asked': async () => {
    const { access_token } = await person();
    const payload = { email: newEmail(), password: PASSWORD };
    return () => as(access_token, { method: 'PUT', url: '/v1/me/email', payload });
  },
  'email.confirmed': async () => {
    const { access_token } = await person();
    const email = newEmail();
    const payload = { email, password: PASSWORD };
    await as(access_token, { method: 'PUT', url: '/v1/me/email', payload });
    const token = await mail.token(email);
    return () => post('/v1/email/confirm', { token });
  },
  'session.stepped_up': async () => {
    const { access_token } = await person();
    const payload = { password: PASSWORD };
    return () => as(access_token, { method: 'POST', url: '/v1/me/verify', payload });
  },
  'mfa.enrolment_begun': async () => {
    const { access_token } = await person();
    const payload = { password: PASSWORD };
    return () => as(access_token, { method: 'POST', url: '/v1/me/mfa/totp', payload });
  },
  'mfa.enabled': async () => {
    const made = await person();
    const { mfa, code } = factor(app, made);
    const pending = { challenges: [], pending: mfa.totp } as never;
    await context.users.change(made.id, (user) => ({
      user: { ...user, mfa: pending },
      result: undefined,
    }));
    const request = { method: 'POST', url: '/v1/me/mfa/totp/confirm' } as const;
    return () => as(made.access_token, { ...request, payload: { code: code() } });
  },
  'mfa.recovery_codes_renewed': async () => {
    const { access_token, code } = await guarded();
    const request = { method: 'POST', url: '/v1/me/mfa/recovery-codes' } as const;
    return () => as(access_token, { ...request, payload: { password: PASSWORD, code: code() } });
  },
  'mfa.disabled': async () => {
    const { access_token, code } = await guarded();
    const request = { method: 'DELETE', url: '/v1/me/mfa/totp' } as const;
    return () => as(access_token, { ...request, payload: { password: PASSWORD, code: code() } });
  },
  'mfa.challenged': async () => (await guarded()).login,
  'mfa.refused': async () => {
    const { mfa_token } = await (await guarded()).login();
    return () => post('/v1/login/mfa', { mfa_token, code: '000000' });
  },
  'identity.linked': async () => {
    const { id, access_token } = await person();
    const url = '/v1/me/identities';
    return () => sendIdToken(app, provider, { sub: id }, { url, token: access_token });
  },
  'identity.unlinked': async () => {
    const { access_token } = await person({ identity_1: `${provider.issuer}|${count}` });
    return () => as(access_token, { method: 'DELETE', url: '/v1/me/identities/1' });
  },
  'passkey.added': async () => {
    const { access_token } = await person({ email_verified_at: 1 });
    const made = new SoftAuthenticator().create(await offered(app, access_token));
    return () => add(app, access_token, made);
  },
  'passkey.renamed': async () => {
    const { access_token, url } = await keyed();
    return () => as(access_token, { method: 'PATCH', url, payload: { name: 'Laptop' } });
  },
  'passkey.removed': async () => {
    const { access_token, url } = await keyed();
    return () => as(access_token, { method: 'DELETE', url });
  },
  'passkey.copied': async () => {
    const { passkey } = await keyed();
    const use = async (counter: number) =>
      signInWith(app, passkey.get(await requested(app), { counter }));
    await use(2);
    return () => use(1);
  },
  'password.changed': async () => {
    const { access_token } = await person();
    const payload = { current_password: PASSWORD, new_password: 'a lantern in the rainy harbour' };
    return () => as(access_token, { method: 'PUT', url: '/v1/me/password', payload });
  },
  'password.removed': async () => {
    await person({ claimed_at: 0 });
    const email = `person${count}@example.com`;
    const { token, code } = await coded(app, email);
    return () => verifyCode(app, token, code);
  },
  'session.ended': async () => {
    const { refresh_token } = await person();
    return () => post('/v1/logout', { refresh_token });
  },
  'session.all_ended': async () => {
    const { access_token } = await person();
    return () => as(access_token, { method: 'DELETE', url: '/v1/me/sessions' });
  },
  'session.reuse_detected': async () => {
    const { refresh_token } = await person();
    const successor = (await refresh(refresh_token)).json();
    await refresh(successor.refresh_token);
    app.clock.advance(30_001);
    return () => refresh(refresh_token);
  },
  'session.row_behind': async () => {
    const { id, refresh_token } = await person();
    const before = (await context.users.findById(id)) as User;
    const { refresh_token: second } = (await refresh(refresh_token)).json();
    await context.users.change(id, ({ row_version }) => ({
      user: { ...before, row_version },
      result: undefined,
    }));
    return () => refresh(second);
  },
  'sign_in.ok': async () => {
    await person();
    const email = `person${count}@example.com`;
    return () => post('/v1/login', { email, password: PASSWORD });
  },
  'sign_in.refused': async () => () => post('/v1/login', { email: newEmail(), password: PASSWORD }),
  'sign_in.throttled': async () => {
    const guess = { email: newEmail(), password: PASSWORD };
    for (let time = 0; time < 5; time += 1) await post('/v1/login', guess);
    return () => post('/v1/login', guess);
  },
  'token.revoked': async () => {
    const { access_token } = await person();
    return () => form(app, '/oauth/revoke', { token: access_token });
  },
};

/** Every response member that is a credential. */
const SECRETS =
  /"(?:\w*_token|client_secret|secret|otpauth_uri|mfa_token)":"([^"]+)"|"recovery_codes":\[([^\]]+)\]/g;

/** What the same act does besides. */
const ALONG: Partial<Record<EventName, EventName[]>> = { 'password.removed': ['sign_in.ok'] };

const handedOut: string[] = [];

async function logged(t: Test, name: EventName): Promise<void> {
  const act = await acts[name]();
  const from = events().length;
  const answer = await act();
  const named = events()
    .slice(from)
    .filter((event) => !event.startsWith('mail.'));
  t.same(named, [name, ...(ALONG[name] ?? [])]);
  const payload = (answer as { payload?: string } | null)?.payload ?? JSON.stringify(answer);
  for (const [, value, list] of String(payload).matchAll(SECRETS)) {
    if (value !== undefined) handedOut.push(value);
    for (const code of (list ?? '').split(',')) if (code) handedOut.push(code.replaceAll('"', ''));
  }
}

for (const name of Object.keys(acts) as EventName[]) {
  t.test(`LOG-04 ${name} is logged once, for its own act only`, (t) => logged(t, name));
}

t.test('LOG-01 no issued or mailed credential is in the log', async (t) => {
  await mail.settled();
  const written = JSON.stringify(logs);
  t.ok(handedOut.length > 20, `${handedOut.length} secrets`);
  for (const secret of handedOut)
    t.notOk(written.includes(secret.split('.').at(-1) as string), secret.slice(0, 12));
  t.notMatch(written, PASSWORD);
  t.notMatch(written, /person\d+@example\.com/);
  for (const { raw } of mail.mails)
    for (const [, token] of raw.matchAll(/#token=3?D?([\w.-]{20,})/g))
      t.notOk(written.includes(token as string));
});

t.test('AZN-08 an administrator’s act is logged with actor, user and changes', async (t) => {
  const acted = logs.filter(({ event }) => String(event).startsWith('admin.'));
  t.equal(new Set(acted.map(({ event }) => event)).size, 10);
  for (const line of acted) t.match(line, { actor: /^[0-9a-f-]{36}$/, user: /^[0-9a-f-]{36}$/ });
  const changed = acted.find(({ event }) => event === 'admin.user_changed');
  t.match(changed, { before: { roles: [] }, after: { roles: ['editor'] } });
});
