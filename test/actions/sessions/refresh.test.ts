import t from 'tap';
import { refreshSession } from '../../../src/actions/sessions/refresh.ts';
import { issuePair } from '../../../src/actions/tokens/token-pair.ts';
import { randomId } from '../../../src/parts/ids.ts';
import { withNewSession } from '../../../src/rules/sessions.ts';
import { ada, limits, NOW } from '../../rules/samples.ts';
import { testApp } from '../../test-app.ts';

const once = { transport: 'body' as const, idempotencyKey: undefined };

t.test(
  'of fifty parallel refreshes with one token, one rotates, and all get the same successor',
  async (t) => {
    const { context, signUp } = await testApp(t);
    const { refresh_token } = await signUp();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => refreshSession(context, { token: refresh_token, ...once })),
    );
    const outcomes = answers.map(({ outcome }) => outcome).sort();
    t.same(outcomes, [...Array<string>(49).fill('repeated'), 'rotated']);
    const successors = answers.map((answer) =>
      answer.outcome === 'rotated' || answer.outcome === 'repeated'
        ? issuePair(context, answer).refresh_token
        : answer.outcome,
    );
    t.equal(new Set(successors).size, 1);
    const [successor = ''] = successors;
    t.match(await refreshSession(context, { token: successor, ...once }), { outcome: 'rotated' });
  },
);

t.test('a reused token ends the session, in the database too', async (t) => {
  const { context, clock, signUp, refresh } = await testApp(t);
  const first = await signUp();
  const second = (await refresh(first.refresh_token)).json();
  const third = (await refresh(second.refresh_token)).json();
  clock.advance(30_001);
  const reused = await refreshSession(context, { token: first.refresh_token, ...once });
  t.equal(reused.outcome, 'reused');
  const { sub } = context.accessTokens.read((await signUp('eve@example.com')).access_token);
  t.match(await context.users.findById(sub), { revoked_at: null }, 'other users are not affected');
  t.same(await refreshSession(context, { token: third.refresh_token, ...once }), {
    outcome: 'invalid',
  });
});

t.test('another token, or one of an unknown user, is invalid', async (t) => {
  const { context, signUp } = await testApp(t);
  const { access_token, device_token } = await signUp();
  const signIn = { id: randomId(), amr: ['pwd'], transport: 'body' as const, client: '' };
  const nobody = withNewSession(ada(), signIn, NOW, limits);
  const stranger = issuePair(context, { ...nobody, device: 'device' }).refresh_token;
  for (const token of ['', 'x', access_token, device_token, stranger])
    t.same(await refreshSession(context, { token, ...once }), { outcome: 'invalid' });
});
