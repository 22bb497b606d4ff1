import t from 'tap';
import { DEVICE_LIFE, deviceOf, issuePair } from '../../../src/actions/tokens/token-pair.ts';
import { randomId } from '../../../src/parts/ids.ts';
import { withNewSession } from '../../../src/rules/sessions.ts';
import { ada, DAY, limits, NOW } from '../../rules/samples.ts';
import { testApp } from '../../test-app.ts';

const { user, session } = withNewSession(
  ada(),
  { id: randomId(), amr: ['pwd'], transport: 'body', client: '' },
  NOW,
  limits,
);

t.test('a token pair says how long each token lives', async (t) => {
  const { context, clock } = await testApp(t);
  const pair = issuePair(context, { user, session, device: 'device' });
  t.match(pair, {
    token_type: 'Bearer',
    expires_in: 900,
    refresh_expires_in: 14 * 86_400,
    session_id: session.id,
  });
  clock.advance(DAY);
  t.equal(issuePair(context, { user, session, device: 'd' }).refresh_expires_in, 13 * 86_400);
  clock.advance(20 * DAY);
  t.equal(
    issuePair(context, { user, session, device: 'd' }).refresh_expires_in,
    0,
    'never negative',
  );
});

t.test('the same session state always gives the same refresh token', async (t) => {
  const { context, clock } = await testApp(t);
  const holder = { user, session, device: 'device' };
  const { refresh_token, access_token } = issuePair(context, holder);
  clock.advance(5_000);
  const again = issuePair(context, holder);
  t.equal(again.refresh_token, refresh_token);
  t.not(again.access_token, access_token, 'the access token is a new one');
  for (const other of [
    { ...holder, session: { ...session, gen: 1 } },
    { ...holder, user: { ...user, token_version: 1 } },
    { ...holder, device: 'another' },
  ]) {
    t.not(issuePair(context, other).refresh_token, refresh_token);
  }
});

t.test('a device token is valid for its own user only, for 180 days', async (t) => {
  const { context, clock } = await testApp(t);
  const { device_token, refresh_token } = issuePair(context, { user, session, device: 'device' });
  t.equal(deviceOf(context, user, device_token), 'device');
  for (const token of [undefined, '', 'x', refresh_token]) {
    t.equal(deviceOf(context, user, token), undefined);
  }
  t.equal(deviceOf(context, { ...user, id: 'another' }, device_token), undefined);
  t.equal(deviceOf(context, undefined, device_token), undefined);
  clock.advance(DEVICE_LIFE * 1_000);
  t.equal(deviceOf(context, user, device_token), undefined);
});
