import t from 'tap';
import {
  completeSignUp,
  inviteToSignUp,
  signUpAtOnce,
} from '../../../src/actions/accounts/sign-up.ts';
import { emailState, signUpToken } from '../../../src/actions/tokens/mailed-tokens.ts';
import { randomId } from '../../../src/parts/ids.ts';
import { EmailTaken } from '../../../src/parts/storage/users.ts';
import type { User } from '../../../src/schemas/user.ts';
import { ada, NOW } from '../../rules/samples.ts';
import { PASSWORD } from '../../test-app.ts';
import { appWithLetters } from '../letters.ts';

const { context, clock, posted } = await appWithLetters(t);
const { users, passwords } = context;
const signIn = { amr: ['pwd'], transport: 'cookie' as const, client: 'a browser' };
const { signal } = new AbortController();
const circumstances = () => ({ signIn: { id: randomId(), ...signIn }, signal });
const everybody = () => users.list({ kind: 'person', limit: 100 });
const rowOf = async (key: string) => (await users.findByEmail(key)) as User;
const weak = (path: string) => ({ code: 'invalid_input', circumstances: { errors: [{ path }] } });

const complete = (token: string, password = PASSWORD) =>
  completeSignUp(context, { token, password, name: 'Ada' }, circumstances());
const signUp = (email: string, password = PASSWORD) =>
  signUpAtOnce(context, { email, password, name: null }, circumstances());

/** What each way to sign up leaves in the row. */
const newcomer = {
  kind: 'person',
  status: 'active',
  roles: [],
  token_version: 0,
  created_at: NOW,
  last_login_at: NOW,
  sessions: [{ ...signIn, gen: 0, created_at: NOW }],
};

t.test('an address that is free gets a link, and nothing is stored', async (t) => {
  await inviteToSignUp(context, ' New@example.com');
  const [letter, ...more] = await posted();
  t.match(letter, { to: 'New@example.com', subject: 'Finish signing up at Latchkey' });
  t.same(more, []);
  t.match(context.ownTokens.read('sign-up', letter?.token ?? ''), { sub: ' New@example.com' });
  t.same(await everybody(), []);
});

t.test('an address that has an account gets a note that opens nothing', async (t) => {
  const user = ada({ email: 'Known@example.com', email_key: 'known@example.com' });
  await users.insert(user);
  await inviteToSignUp(context, 'KNOWN@example.com');
  t.same(await posted(), [
    {
      to: 'Known@example.com',
      subject: 'You already have an account at Latchkey',
      token: undefined,
    },
  ]);
  t.same(await everybody(), [user]);
});

t.test('the link makes an account with a proven mailbox, signed in, once', async (t) => {
  const token = signUpToken(context, 'Ada@example.com');
  const { user, session } = await complete(token);
  const row = await rowOf('ada@example.com');
  t.same(row, user);
  t.match(row, { ...newcomer, email: 'Ada@example.com', name: 'Ada', email_verified_at: NOW });
  t.same(row.sessions, [session]);
  t.equal(await passwords.check(row.password_hash, PASSWORD), 'right');
  for (const again of [token, signUpToken(context, 'ADA@example.com')])
    await t.rejects(complete(again, 'short'), { code: 'link_invalid' });
  await t.rejects(complete('x', 'short'), { code: 'link_invalid' });
  t.same(await rowOf('ada@example.com'), row);
  t.same(await posted(), [], 'nobody has to be told');
});

t.test('an account at once is unproven, and gets a link that proves it', async (t) => {
  const { user, session } = await signUp('Eve@example.com');
  const row = await rowOf('eve@example.com');
  t.same(row, user);
  t.match(row, { ...newcomer, email: 'Eve@example.com', name: null, email_verified_at: null });
  t.same(row.sessions, [session]);
  const [letter, ...more] = await posted();
  t.match(letter, { to: 'Eve@example.com', subject: 'Confirm your email address' });
  t.same(more, []);
  t.match(context.ownTokens.read('email', letter?.token ?? ''), {
    sub: user.id,
    email: 'Eve@example.com',
    sid: session.id,
    was: emailState(user),
  });
  await t.rejects(signUp('EVE@example.com'), { constructor: EmailTaken, message: '' });
  t.same(await rowOf('eve@example.com'), row);
  t.same(await posted(), [], 'whoever is refused causes no letter');
});

t.test('each account has its own time, and a password that is refused makes none', async (t) => {
  clock.advance(7);
  const before = await everybody();
  const token = signUpToken(context, 'weak.address@example.com');
  for (const password of ['short', 'weak.address@example.com']) {
    await t.rejects(complete(token, password), weak('/password'));
    await t.rejects(signUp('weak.address@example.com', password), weak('/password'));
  }
  t.same(await everybody(), before);
  t.same(await posted(), []);
  const { user } = await complete(token);
  t.match(user, { created_at: NOW + 7, email_verified_at: NOW + 7, last_login_at: NOW + 7 });
});

t.test('a password whose sender has gone is not hashed while others wait', async (t) => {
  const gone = { ...circumstances(), signal: AbortSignal.abort() };
  const places = context.config.HASH_CONCURRENCY;
  const { promise, resolve } = Promise.withResolvers<void>();
  const busy = Array.from({ length: places }, () => context.hashQueue.run(() => promise));
  const applicant = { email: 'gone@example.com', password: PASSWORD, name: null };
  await t.rejects(signUpAtOnce(context, applicant, gone), { code: 'overloaded' });
  resolve();
  await Promise.all(busy);
  t.equal(await users.findByEmail('gone@example.com'), undefined);
});
