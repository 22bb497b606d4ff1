import t, { type Test } from 'tap';
import {
  askForEmailChange,
  confirmEmailChange,
} from '../../../src/actions/accounts/email-change.ts';
import { emailState, emailToken } from '../../../src/actions/tokens/mailed-tokens.ts';
import { randomId } from '../../../src/parts/ids.ts';
import { StorageFault } from '../../../src/parts/storage/users.ts';
import { liveSession, withNewSession } from '../../../src/rules/sessions.ts';
import type { User } from '../../../src/schemas/user.ts';
import { ada, limits, NOW } from '../../rules/samples.ts';
import { appWithLetters } from '../letters.ts';

const signIn = { id: randomId(), amr: ['pwd'], transport: 'body' as const, client: '' };
const refused = { code: 'link_invalid' };

/** Ada with two sessions, and Eve. */
async function serviceOf(t: Test) {
  const service = await appWithLetters(t);
  const { users } = service.context;
  const first = withNewSession(ada(), signIn, NOW, limits);
  const { user, session } = withNewSession(first.user, { ...signIn, id: randomId() }, NOW, limits);
  await users.insert(user);
  const eve = ada({ id: 'eve', email: 'Eve@example.com', email_key: 'eve@example.com' });
  await users.insert(eve);
  const row = async () => (await users.findById(user.id)) as User;
  const change = (next: Partial<User>) =>
    users.change(user.id, (before) => ({ user: { ...before, ...next }, result: true }));
  const confirmed = (token: string) =>
    confirmEmailChange(service.context, { token, deviceToken: undefined });
  const { session: other } = first;
  return { ...service, users, user, asking: session, other, eve, row, change, confirmed };
}

t.test('the new address gets the link, the old one a warning, the row nothing', async (t) => {
  const { context, user, asking, posted, row } = await serviceOf(t);
  await askForEmailChange(context, user, { email: 'Ada@example.org', sid: asking.id });
  const [warning, link] = await posted();
  t.match(warning, { to: 'ada@example.com', subject: 'Your email address is about to change' });
  t.equal(warning?.token, undefined);
  t.match(link, { to: 'Ada@example.org', subject: 'Confirm your email address' });
  const { sub, email, sid, was } = context.ownTokens.read('email', link?.token ?? '') ?? {};
  t.same(
    { sub, email, sid, was },
    {
      sub: user.id,
      email: 'Ada@example.org',
      sid: asking.id,
      was: emailState(user),
    },
  );
  t.same(await row(), user);
});

t.test('for another spelling of the own address comes a link, and no warning', async (t) => {
  const { context, user, told } = await serviceOf(t);
  await askForEmailChange(context, user, { email: 'ADA@example.com', sid: 'session' });
  t.same(await told(), [{ to: 'ADA@example.com', subject: 'Confirm your email address' }]);
});

t.test('for an address of somebody else only its owner hears, and no link is made', async (t) => {
  const { context, user, posted } = await serviceOf(t);
  await askForEmailChange(context, user, { email: 'EVE@example.com', sid: 'session' });
  const [warning, note, ...more] = await posted();
  t.match(note, { to: 'Eve@example.com', subject: 'You already have an account at Latchkey' });
  t.match(warning, { to: 'ada@example.com', subject: 'Your email address is about to change' });
  t.same([note?.token, warning?.token, more], [undefined, undefined, []]);
});

t.test('who has no address yet has none to be warned at', async (t) => {
  const { context, user, told } = await serviceOf(t);
  const nameless = { ...user, email: null, email_key: null };
  await askForEmailChange(context, nameless, { email: 'ada@example.org', sid: 'session' });
  t.same(await told(), [{ to: 'ada@example.org', subject: 'Confirm your email address' }]);
});

t.test('a new address is in force, and every session ends but the one that asked', async (t) => {
  const { context, clock, user, asking, other, told, row, confirmed } = await serviceOf(t);
  clock.advance(5);
  const token = emailToken(context, user, { email: 'Ada@example.org', sid: asking.id });
  t.same(await confirmed(token), user, 'the answer is who he was');
  const after = await row();
  t.match(after, {
    email: 'Ada@example.org',
    email_key: 'ada@example.org',
    email_verified_at: NOW + 5,
    updated_at: NOW + 5,
    token_version: 0,
  });
  t.ok(liveSession(after, asking.id, NOW + 5));
  t.notOk(liveSession(after, other.id, NOW + 5));
  t.same(await told(), [{ to: 'ada@example.com', subject: 'Your email address was changed' }]);
  await t.rejects(confirmed(token), refused, 'once');
});

t.test('the own address is only proven: no session ends, and nobody is told', async (t) => {
  const { context, clock, user, asking, other, posted, row, confirmed } = await serviceOf(t);
  clock.advance(5);
  const token = emailToken(context, user, { email: 'ADA@example.com', sid: asking.id });
  await confirmed(token);
  const after = await row();
  t.match(after, { email: 'ADA@example.com', email_key: 'ada@example.com' });
  t.match(after, { email_verified_at: NOW + 5, updated_at: NOW + 5, revoked_at: null });
  for (const { id } of [asking, other]) t.ok(liveSession(after, id, NOW + 5));
  t.same(await posted(), []);
});

t.test('a link that no longer holds changes nothing', async (t) => {
  const { context, user, posted, row, change, confirmed } = await serviceOf(t);
  const token = emailToken(context, user, { email: 'ada@example.org' });
  const nobody = emailToken(context, { ...user, id: 'nobody' }, { email: 'ada@example.org' });
  for (const bad of ['x', nobody]) await t.rejects(confirmed(bad), refused);
  for (const state of [
    { status: 'disabled' },
    { status: 'deleted' },
    { status: 'active', email_key: 'ada@example.net' },
    { email_key: user.email_key, email_verified_at: NOW },
    { email_verified_at: null, token_version: 1 },
  ] as const) {
    await change(state);
    const before = await row();
    await t.rejects(confirmed(token), refused, JSON.stringify(state));
    t.same(await row(), before);
  }
  t.same(await posted(), []);
});

t.test('an address that somebody else took meanwhile stays his', async (t) => {
  const { context, user, eve, users, posted, row, confirmed } = await serviceOf(t);
  const token = emailToken(context, user, { email: 'eve@example.com' });
  await t.rejects(confirmed(token), refused);
  t.same(await row(), user);
  t.same(await users.findById('eve'), eve);
  t.same(await posted(), []);
});

t.test('a fault of the database is no fault of the link', async (t) => {
  const { context, user, confirmed } = await serviceOf(t);
  const token = emailToken(context, user, { email: 'ada@example.org' });
  await context.close();
  await t.rejects(confirmed(token), {
    constructor: StorageFault,
    message: 'find',
  });
});
