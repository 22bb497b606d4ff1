import { TOTP } from 'otpauth';
import { newServiceAccount } from '../src/actions/clients/service-accounts.ts';
import { issuePair } from '../src/actions/tokens/token-pair.ts';
import { newUserId, randomId } from '../src/parts/ids.ts';
import { newTotp } from '../src/parts/second-factor/totp.ts';
import { newPerson } from '../src/rules/accounts.ts';
import { withNewSession } from '../src/rules/sessions.ts';
import type { Session, User } from '../src/schemas/user.ts';
import type { TestApp, Tokens } from './test-app.ts';

export interface SignedIn extends Tokens {
  id: string;
}

/** Of `PASSWORD`, at the cost of production. */
export const PASSWORD_HASH =
  '$argon2id$v=19$m=19456,p=1,t=2$MDEyMzQ1Njc4OWFiY2RlZg$gy5SuVm5Z7Vw7keB9se9p87QGcomaseB/S2U1OhTsM0';
/** Of `PASSWORD`, and checked in no time; at the real pace a sign-in with it makes it anew. */
const CHEAP_HASH =
  '$argon2id$v=19$m=8,p=1,t=1$MDEyMzQ1Njc4OWFiY2RlZg$XdTJKPvVpEdCNu922dgwQXj+XfOITS04PpG3cDMn5sE';

/** Of `PASSWORD`, at the cost of a new one. */
export const passwordHash = ({ context }: Pick<TestApp, 'context'>) =>
  context.passwords.isOutdated(CHEAP_HASH) ? PASSWORD_HASH : CHEAP_HASH;

/** A person with a live session, put straight into the table: no password is hashed. */
export async function signedIn(
  { context }: Pick<TestApp, 'context'>,
  email: string,
  changes: Partial<User> = {},
): Promise<SignedIn> {
  const now = context.clock();
  const person = newPerson(
    { id: newUserId(now), email, name: null, passwordHash: CHEAP_HASH },
    now,
  );
  const signIn = { id: randomId(), amr: ['pwd'], transport: 'body', client: 'test' } as const;
  const { user, session } = withNewSession(
    { ...person, email_verified_at: now, ...changes },
    { ...signIn, amr: [...signIn.amr] },
    now,
    context.sessionLimits,
  );
  await context.users.insert(user);
  return { id: user.id, ...issuePair(context, { user, session, device: 'device' }) };
}

/** An access token of a user who signed in 15 minutes ago, and has refreshed since: too long for what needs a recent proof. */
export async function agedToken(
  { context }: Pick<TestApp, 'context'>,
  id: string,
): Promise<string> {
  const user = (await context.users.findById(id)) as User;
  const [session] = user.sessions as [Session];
  const created_at = session.created_at - 900_000;
  return context.accessTokens.issue(user, { ...session, created_at });
}

/** As if the owner had opened the link in the letter. */
export const proveMailbox = ({ context }: Pick<TestApp, 'context'>, email: string) =>
  context.users.findByEmail(email).then((user) =>
    context.users.change(user?.id ?? '', (before) => ({
      user: { ...before, email_verified_at: context.clock() },
      result: undefined,
    })),
  );

/** A row, whatever guesses were counted in it. */
export const butForCounts = (user: User | undefined) =>
  user && { ...user, throttle: [], row_version: 0 };

/** As if nobody had guessed: what was counted in this row is forgotten. */
export async function forgive({ context }: Pick<TestApp, 'context'>, email: string): Promise<void> {
  const user = await context.users.findByEmail(email);
  await context.users.change(user?.id ?? '', (before) => ({
    user: { ...before, throttle: [] },
    result: undefined,
  }));
}

export const admin = (app: Pick<TestApp, 'context'>, email = 'root@example.com') =>
  signedIn(app, email, { roles: ['admin'] });

export interface ServiceAccount {
  id: string;
  secret: string;
}

/** A service account with one secret. */
export async function serviceAccount(
  { context }: Pick<TestApp, 'context'>,
  roles: string[] = [],
): Promise<ServiceAccount> {
  const { account, secret } = newServiceAccount({ name: 'deploy', roles }, context.clock());
  await context.users.insert(account);
  return { id: account.id, secret };
}

export const basic = ({ id, secret }: ServiceAccount) => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
});

/** Sends a form, as the OAuth endpoints take it. */
export const form = (
  { inject }: Pick<TestApp, 'inject'>,
  url: string,
  fields: Record<string, string> | string,
  headers: Record<string, string> = {},
) =>
  inject({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    payload: typeof fields === 'string' ? fields : new URLSearchParams(fields).toString(),
  });

/** A service account's access token. */
export async function serviceAccountToken(
  app: Pick<TestApp, 'inject'>,
  client: ServiceAccount,
  scope?: string,
): Promise<string> {
  const fields = { grant_type: 'client_credentials', ...(scope && { scope }) };
  const answer = await form(app, '/oauth/token', fields, basic(client));
  return answer.json<{ access_token: string }>().access_token;
}

/** The lines about what an administrator or a service account did, without what every line has. */
export const audit = ({ logs }: Pick<TestApp, 'logs'>) =>
  logs.flatMap(({ event, actor, user, session, before, after }) =>
    typeof event === 'string' && /^(admin|client|token)\./.test(event)
      ? [JSON.parse(JSON.stringify({ event, actor, user, session, before, after }))]
      : [],
  );

/** A second factor in force, and the code that it shows now. */
export function factor(
  { context }: Pick<TestApp, 'context'>,
  user: Pick<User, 'id'>,
): { mfa: User['mfa']; code: () => string } {
  const { pending: totp, secret } = newTotp(context.keys, user as User, context.clock());
  const generator = new TOTP({ secret });
  return {
    mfa: { ...(totp && { totp }), challenges: [] },
    code: () => generator.generate({ timestamp: context.clock() }),
  };
}
