import type { InjectOptions } from 'fastify';
import t from 'tap';
import { issueChallenge } from '../../src/actions/factors/challenge.ts';
import { emailToken, resetToken, signUpToken } from '../../src/actions/tokens/mailed-tokens.ts';
import { newUserId } from '../../src/parts/ids.ts';
import { newPerson } from '../../src/rules/accounts.ts';
import type { Session, User } from '../../src/schemas/user.ts';
import { folder } from '../databases.ts';
import { docsFiles } from '../docs-files.ts';
import { asked } from '../mail-codes.ts';
import { outsideProvider, presentClock, slotOf } from '../oidc-provider.ts';
import { operations } from '../operations.ts';
import { enrolled, SoftAuthenticator } from '../passkeys.ts';
import {
  admin,
  butForCounts,
  factor,
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
const { context } = app;
const root = await admin(app);

let count = 0;
const person = (changes: Partial<User> = {}): Promise<SignedIn> => {
  count += 1;
  return signedIn(app, `person${count}@example.com`, { email_verified_at: 1, ...changes });
};
const rowOf = async (id: string) => (await context.users.findById(id)) as User;

/** Of a session that is bound to a key (RFC 9449). */
async function boundToken(id: string): Promise<string> {
  const user = await rowOf(id);
  const [session] = user.sessions as [Session];
  return context.accessTokens.issue(user, { ...session, jkt: 'x'.repeat(43) });
}

/** The token of each caller, with its scheme if it is not `Bearer`. `owner` is the user that the path and the body of the request name. */
const callers = {
  nobody: async () => undefined,
  'refresh token': async (owner) => owner.refresh_token,
  'device token': async (owner) => owner.device_token,
  'sign-up token': async () => signUpToken(context, 'new@example.com'),
  'email token': async (owner) =>
    emailToken(context, await rowOf(owner.id), {
      email: 'moved@example.com',
      sid: owner.session_id,
    }),
  'reset token': async (owner) => resetToken(context, await rowOf(owner.id)),
  'before the second factor': async () => {
    count += 1;
    const email = `half${count}@example.com`;
    const half = newPerson(
      { id: newUserId(0), email, name: null, passwordHash: 'x' },
      app.clock.now,
    );
    const user = { ...half, mfa: factor(app, half).mfa };
    await context.users.insert(user);
    return issueChallenge(context, { user, device: 'device', transport: 'body' });
  },
  'token of a code by mail': async () => asked(app, 'none@example.com'),
  'disabled user': async () => {
    const { id, access_token } = await person({ roles: ['admin'] });
    const payload = { status: 'disabled' };
    await app.as(root.access_token, { method: 'PATCH', url: `/v1/users/${id}`, payload });
    return access_token;
  },
  'user of another account': async () => (await person({ roles: ['editor'] })).access_token,
  owner: async (owner) => owner.access_token,
  'bound token as bearer': async (owner) => boundToken(owner.id),
  'bound token without its proof': async (owner) => `DPoP ${await boundToken(owner.id)}`,
  'unbound token as DPoP': async (owner) => `DPoP ${owner.access_token}`,
  'service account': async () => serviceAccountToken(app, await serviceAccount(app, ['editor'])),
  admin: async () => (await person({ roles: ['admin'] })).access_token,
} satisfies Record<string, (owner: SignedIn) => Promise<string | undefined>>;
type Caller = keyof typeof callers;
const names = Object.keys(callers) as Caller[];

/** Statuses by caller. */
interface Row {
  request?:
    | Omit<InjectOptions, 'method' | 'url'>
    | ((caller: string) => Omit<InjectOptions, 'method' | 'url'>);
  /** The value of the path parameter. */
  id?: (owner: SignedIn) => string | Promise<string>;
  /** The callers without a valid access token. */
  strangers: number;
  disabled: number;
  user: number;
  owner: number;
  service: number;
  admin: number;
}

const everybody = (status: number, more: Partial<Row> = {}): Row => ({
  strangers: status,
  disabled: status,
  user: status,
  owner: status,
  service: status,
  admin: status,
  ...more,
});

const json = (payload: object): Pick<Row, 'request'> => ({ request: { payload } });
const form = (fields: Record<string, string>): Pick<Row, 'request'> => ({
  request: {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams(fields).toString(),
  },
});
const stranger = new SoftAuthenticator();
stranger.user = 'nobody';
const passkeyIdOf = async ({ access_token }: SignedIn) => {
  await enrolled(app, access_token);
  return (await app.as(access_token, { url: '/v1/me/passkeys' })).json().passkeys[0].id;
};
const newMachine = async () => (await serviceAccount(app)).id;

const forBearers = (status: number, more: Partial<Row> = {}): Row =>
  everybody(status, { strangers: 401, disabled: 401, ...more });
const forPeople = (status: number, more: Partial<Row> = {}): Row => ({
  ...forBearers(status),
  service: 403,
  ...more,
});
const forAdmins = (status: number, more: Partial<Row> = {}): Row => ({
  ...forBearers(403),
  admin: status,
  ...more,
});

/** One for each route. Every request carries the bearer token; where a token in the body decides, the bearer must make no difference. */
const rows: Record<string, Row> = {
  'GET /docs': everybody(200),
  'GET /docs/': everybody(200),
  'GET /docs/swagger-initializer.js': everybody(200),
  ...Object.fromEntries(docsFiles.map((path) => [`GET ${path}`, everybody(200)])),
  'GET /openapi.yaml': everybody(200),
  'GET /.well-known/jwks.json': everybody(200),
  'GET /.well-known/revocations': everybody(200),
  'GET /.well-known/oauth-authorization-server': everybody(200),
  'GET /problems/:code': everybody(200, { id: () => 'forbidden' }),
  'GET /': everybody(200),
  'GET /login': everybody(200),
  'GET /sign-up': everybody(200),
  'GET /forgot-password': everybody(200),
  'GET /reset-password': everybody(200),
  'GET /confirm-email': everybody(200),
  'GET /not-me': everybody(200),
  'GET /account': everybody(200),
  'GET /admin': everybody(200),
  // With one parameter filled in, a file that is not there.
  'GET /pages/:version/:file': everybody(404),
  'GET /pages/:version/:file/:part': everybody(404),
  'GET /.well-known/change-password': everybody(302),
  'GET /client.js': everybody(200),
  'GET /client.d.ts': everybody(200),
  'GET /client-passkeys.js': everybody(200),
  'GET /client-passkeys.d.ts': everybody(200),
  'GET /client-mail-codes.js': everybody(200),
  'GET /client-mail-codes.d.ts': everybody(200),
  'GET /client-dpop.js': everybody(200),
  'GET /client-dpop.d.ts': everybody(200),
  'GET /livez': everybody(200),
  'GET /readyz': everybody(200),

  'POST /v1/register': everybody(202, json({ email: 'new@example.com' })),
  'POST /v1/register/complete': everybody(400, json({ token: 'x', password: PASSWORD })),
  'POST /v1/password/forgot': everybody(202, json({ email: 'none@example.com' })),
  'POST /v1/password/reset': everybody(400, json({ token: 'x', password: PASSWORD })),
  'POST /v1/email/confirm': everybody(400, json({ token: 'x' })),
  'POST /v1/email/not-me': everybody(400, json({ token: 'x' })),
  // A new address each time, because five failures for one are followed by a wait.
  'POST /v1/login': everybody(401, {
    request: (caller) => ({
      payload: { email: `${caller.replaceAll(' ', '.')}@example.com`, password: PASSWORD },
    }),
  }),
  'POST /v1/login/mfa': everybody(401, json({ mfa_token: 'x', code: '000000' })),
  'POST /v1/login/passkey/options': everybody(200, json({})),
  'POST /v1/login/passkey': everybody(401, json({ passkey: stranger.get({ challenge: 'x' }) })),
  'POST /v1/login/code': everybody(202, json({ email: 'none@example.com' })),
  'POST /v1/login/code/verify': everybody(401, json({ code_token: 'x', code: '00000000' })),
  'POST /v1/login/id-token/nonce': everybody(200, json({ provider: '1' })),
  'POST /v1/login/id-token': everybody(
    401,
    json({ provider: '1', id_token: 'x', nonce_token: 'x' }),
  ),
  'GET /v1/login/:provider': everybody(303, { id: () => '1' }),
  'GET /v1/login/:provider/callback': everybody(401, { id: () => '1' }),
  'POST /v1/login/:provider/callback': everybody(303, { id: () => '1', ...form({ code: 'x' }) }),
  'POST /v1/refresh': everybody(401, json({ refresh_token: 'x' })),
  'POST /v1/logout': everybody(204, { strangers: 401 }),

  'GET /v1/whoami': forBearers(200),
  'GET /v1/me': forPeople(200),
  'PATCH /v1/me': forPeople(200, json({ name: 'Name' })),
  'DELETE /v1/me': forPeople(403, json({ password: 'wrong' })),
  'PUT /v1/me/password': forPeople(
    403,
    json({ current_password: 'wrong', new_password: PASSWORD }),
  ),
  'POST /v1/me/verify': forPeople(403, json({ password: 'wrong' })),
  'PUT /v1/me/email': forPeople(403, json({ email: 'new@example.com', password: 'wrong' })),
  'POST /v1/me/mfa/totp': forPeople(403, json({ password: 'wrong' })),
  'POST /v1/me/mfa/totp/confirm': forPeople(409, json({ code: '000000' })),
  'DELETE /v1/me/mfa/totp': forPeople(403, json({ password: 'wrong', code: '000000' })),
  'POST /v1/me/mfa/recovery-codes': forPeople(403, json({ password: 'wrong', code: '000000' })),
  'GET /v1/me/passkeys': forPeople(200),
  'POST /v1/me/passkeys/options': forPeople(200, json({})),
  'POST /v1/me/passkeys': forPeople(
    400,
    json({ passkey: stranger.create({ challenge: 'x', user: { id: 'x' } }) }),
  ),
  // A passkey of another user is not found.
  'PATCH /v1/me/passkeys/:id': forPeople(404, {
    id: passkeyIdOf,
    owner: 200,
    ...json({ name: 'Laptop' }),
  }),
  'DELETE /v1/me/passkeys/:id': forPeople(404, { id: passkeyIdOf, owner: 204 }),
  'GET /v1/me/identities': forPeople(200),
  'POST /v1/me/identities': forPeople(
    401,
    json({ provider: '1', id_token: 'x', nonce_token: 'x' }),
  ),
  'POST /v1/me/identities/:provider/redirect': forPeople(200, { id: () => '1', ...json({}) }),
  // A provider that another user is linked with is not found.
  'DELETE /v1/me/identities/:provider': forPeople(404, {
    id: async ({ id }) => {
      const change = (user: User) => ({ ...user, identity_1: `${provider.issuer}|${id}` });
      await context.users.change(id, (user) => ({ user: change(user), result: undefined }));
      return '1';
    },
    owner: 204,
  }),
  'GET /v1/me/sessions': forPeople(200),
  'DELETE /v1/me/sessions': forPeople(204),
  // A session of another user is not found.
  'DELETE /v1/me/sessions/:id': forPeople(404, {
    id: (owner) => owner.session_id,
    owner: 204,
  }),

  'GET /v1/users': forAdmins(200),
  'POST /v1/users': forAdmins(409, json({ email: 'root@example.com' })),
  'GET /v1/users/:id': forAdmins(200, { id: ({ id }) => id }),
  'PATCH /v1/users/:id': forAdmins(200, { id: ({ id }) => id, ...json({ name: 'Other' }) }),
  'DELETE /v1/users/:id': forAdmins(204, { id: ({ id }) => id }),
  'DELETE /v1/users/:id/sessions': forAdmins(204, { id: ({ id }) => id }),
  'DELETE /v1/users/:id/mfa': forAdmins(204, { id: ({ id }) => id }),
  'DELETE /v1/users/:id/passkeys': forAdmins(204, { id: ({ id }) => id }),
  'DELETE /v1/users/:id/identities': forAdmins(204, { id: ({ id }) => id }),
  // Only the role `sessions:revoke` may, and none of these has it.
  'POST /v1/global-token-revocation': forBearers(
    403,
    json({ sub_id: { format: 'opaque', id: 'x' } }),
  ),
  'GET /v1/service-accounts': forAdmins(200),
  'POST /v1/service-accounts': forAdmins(201, json({ name: 'another', password: PASSWORD })),
  'POST /v1/service-accounts/:id/secret': forAdmins(201, {
    id: newMachine,
    ...json({ password: PASSWORD }),
  }),
  'DELETE /v1/service-accounts/:id': forAdmins(204, { id: newMachine }),

  'POST /oauth/token': everybody(401, form({ grant_type: 'client_credentials' })),
  'POST /oauth/introspect': everybody(401, form({ token: 'x' })),
  // RFC 7009 section 2.2: an invalid token gets 200.
  'POST /oauth/revoke': everybody(200, form({ token: 'x' })),
};

/** Every route of the router except HEAD, which belongs to GET. */
function registered(): string[] {
  const path: string[] = [];
  return app.app
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .flatMap((line) => {
      const [, indent, segment, methods] = /^([\s│]*)[├└]── (\S+) \(([^)]*)\)$/.exec(line) ?? [];
      if (indent === undefined || segment === undefined || methods === undefined) return [];
      path.splice(indent.length / 4, path.length, segment);
      return methods
        .split(', ')
        .filter((method) => method !== 'HEAD')
        .map((method) => `${method} ${path.join('')}`);
    });
}

const expected = (row: Row, caller: Caller): number => {
  switch (caller) {
    case 'user of another account':
      return row.user;
    case 'disabled user':
      return row.disabled;
    case 'service account':
      return row.service;
    case 'owner':
      return row.owner;
    case 'admin':
      return row.admin;
    default:
      return row.strangers;
  }
};

t.test('every route has a row in the matrix, and every row a route', async (t) => {
  const routes = registered();
  t.ok(routes.length > 40);
  t.same(Object.keys(rows).sort(), [...new Set(routes)].sort());
  const documented = operations.map(
    ({ method, path }) => `${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`,
  );
  for (const route of documented) t.ok(route in rows, route);
});

for (const [route, row] of Object.entries(rows)) {
  t.test(route, async (t) => {
    const [method, pattern] = route.split(' ') as ['GET', string];
    for (const caller of names) {
      const owner = await person();
      const token = await callers[caller](owner);
      const id = await row.id?.(owner);
      const request = typeof row.request === 'function' ? row.request(caller) : row.request;
      const rowsNow = async () =>
        [await rowOf(owner.id), id && (await rowOf(id))].map(
          (found) => found && butForCounts(found as User),
        );
      const before = await rowsNow();
      const answer = await app.inject({
        ...request,
        method,
        url: pattern.replace(/:\w+/, id ?? '').replace('*', 'nothing'),
        headers: {
          ...request?.headers,
          ...(token && { authorization: token.includes(' ') ? token : `Bearer ${token}` }),
        },
      });
      const { statusCode } = answer;
      t.equal(statusCode, expected(row, caller), `${caller}: ${answer.payload.slice(0, 100)}`);
      if (statusCode >= 400) t.same(await rowsNow(), before, 'nothing has changed');
      if (statusCode === 401) t.ok(answer.headers['www-authenticate'], `${caller} is challenged`);
    }
  });
}
