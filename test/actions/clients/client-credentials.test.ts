import t from 'tap';
import {
  issueForServiceAccount,
  scopeOf,
} from '../../../src/actions/clients/client-credentials.ts';
import { newServiceAccount } from '../../../src/actions/clients/service-accounts.ts';
import { NOW } from '../../rules/samples.ts';
import { testApp } from '../../test-app.ts';

t.test('a scope lists roles, and is never empty', async (t) => {
  t.equal(scopeOf(['a', 'b']), 'a b');
  t.equal(scopeOf([]), undefined);
});

t.test('each token of a service account has a session ID of its own', async (t) => {
  const { context, clock } = await testApp(t);
  const { account } = newServiceAccount({ name: 'reports', roles: ['a', 'b'] }, NOW);
  const before = structuredClone(account);
  const [one, two] = ['a', undefined].map((scope) => {
    const { access_token } = issueForServiceAccount(context, account, { scope });
    return context.accessTokens.read(access_token);
  });
  t.match(one, { sub: account.id, client_id: account.id, roles: ['a'], amr: [], ver: 0 });
  t.match(two, { roles: ['a', 'b'] });
  t.same([one?.scope, two?.scope], ['a', 'a b'], 'for verifiers that read scopes');
  t.same([one?.amr, two?.amr], [[], []], 'there was no sign-in');
  t.equal(one?.auth_time, Math.floor(clock.now / 1_000));
  t.not(one?.sid, two?.sid);
  t.not(one?.jti, two?.jti);
  t.same(account, before, 'the account keeps its roles');
});

t.test('a role is not granted because its name is part of another role', async (t) => {
  const { context } = await testApp(t);
  const { account } = newServiceAccount({ name: 'reports', roles: ['reports:read'] }, NOW);
  for (const scope of ['reports', 'read', 'reports:rea', 'reports:read x', 'reports:read\tx']) {
    t.throws(
      () => issueForServiceAccount(context, account, { scope }),
      { code: 'invalid_scope' },
      scope,
    );
  }
});

t.test(
  'a role that is asked for twice is granted once, and an empty or unknown scope is refused',
  async (t) => {
    const { context } = await testApp(t);
    const { account } = newServiceAccount({ name: 'reports', roles: ['a', 'b', 'c'] }, NOW);
    const issue = (scope?: string) => issueForServiceAccount(context, account, { scope });
    t.match(issue(' b  a b '), { token_type: 'Bearer', expires_in: 900, scope: 'b a' });
    t.equal(issue().scope, 'a b c');
    const description = 'The account does not have every role in the scope.';
    for (const scope of ['', ' ', 'a d'])
      t.throws(() => issue(scope), { code: 'invalid_scope', description }, JSON.stringify(scope));
    const plain = issueForServiceAccount(context, { ...account, roles: [] }, { scope: undefined });
    t.equal(plain.scope, undefined);
    t.notHas(context.accessTokens.read(plain.access_token), 'scope');
    t.match(context.accessTokens.read(plain.access_token).sid, /^[\w-]{22}$/);
  },
);

t.test('roles that fit into a token only once are not repeated as its scope', async (t) => {
  const { context } = await testApp(t);
  const roles = Array.from({ length: 18 }, (_, index) => `reports:${index + 10}`);
  const { account } = newServiceAccount({ name: 'reports', roles }, NOW);
  const { access_token, scope } = issueForServiceAccount(context, account, { scope: undefined });
  const claims = context.accessTokens.read(access_token);
  t.same(claims.roles, roles);
  t.notHas(claims, 'scope');
  t.equal(scope, roles.join(' '), 'the answer says it all the same');
  const few = issueForServiceAccount(context, account, { scope: 'reports:10' });
  t.equal(context.accessTokens.read(few.access_token).scope, 'reports:10');
});
