import type { Test } from 'tap';
import { Refused, type TypedClient } from './typed-client.ts';

const PASSWORD = 'correct horse battery staple';
const NEW_PASSWORD = 'a lantern in the rainy harbour';

/** What the service refused with. */
async function refusal(call: Promise<unknown>): Promise<Refused> {
  const error = await call.then(
    () => new Error('it was not refused'),
    (reason) => reason,
  );
  // By its name: the adapter is a bundle, with a copy of the class.
  if (error?.constructor?.name !== Refused.name) throw error;
  return error;
}

/** From signing up to signing out, as any client would. `admin` is an administrator with this password. */
export async function walk(
  t: Test,
  client: TypedClient,
  { email, admin }: { email: string; admin: { email: string; password: string } },
): Promise<void> {
  const first = await client.register({ email, password: PASSWORD, name: 'Ada Lovelace' });
  const claims = await client.whoami(first.access_token);
  t.equal(claims.sid, first.session_id);
  t.same(claims.roles, []);

  const refreshed = await client.refresh(String(first.refresh_token), 'attempt-1');
  t.not(refreshed.refresh_token, first.refresh_token);
  const again = await client.refresh(String(first.refresh_token), 'attempt-1');
  t.equal(again.session_id, first.session_id, 'the key was sent: the lost answer comes again');

  const sessions = await client.sessions(again.access_token);
  t.match(sessions, [{ id: first.session_id, current: true, transport: 'body' }]);

  const wrong = await refusal(client.logIn({ email, password: 'wrong horse battery staple' }));
  t.equal(wrong.status, 401);
  t.equal(wrong.problem?.code, 'invalid_credentials');
  t.type(wrong.problem?.detail, 'string');

  const change = { current_password: PASSWORD, new_password: NEW_PASSWORD };
  const changed = await client.changePassword(again.access_token, change);
  t.equal((await refusal(client.whoami(again.access_token))).problem?.code, 'token_revoked');
  t.equal((await client.whoami(changed.access_token)).sub, claims.sub);
  t.equal((await refusal(client.users(changed.access_token, { limit: 1 }))).status, 403);

  const root = (await client.logIn(admin)).access_token;
  const emails: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await client.users(root, { limit: 1, ...(cursor && { cursor }) });
    t.equal(page.users.length, 1);
    emails.push(...page.users.map((user) => user.email));
    cursor = page.next_cursor;
  }
  t.ok(emails.includes(email) && emails.includes(admin.email), 'page by page');

  const account = await client.createServiceAccount(root, {
    name: 'nightly report',
    roles: ['reports:read', 'reports:write'],
    password: admin.password,
  });
  const token = await client.clientCredentials(account, 'reports:read');
  t.equal(token.scope, 'reports:read');
  const machine = await client.whoami(token.access_token);
  t.same([machine.sub, machine.roles], [account.client_id, ['reports:read']]);
  const bad = await refusal(client.clientCredentials({ ...account, client_secret: 'x' }, ''));
  t.same([bad.status, bad.problem?.code], [401, 'invalid_client']);

  await client.logOut(changed.access_token);
  t.equal((await refusal(client.whoami(changed.access_token))).problem?.code, 'token_revoked');
}
