import t from 'tap';
import { PASSWORD, testApp } from '../../test-app.ts';

t.test('the owner of the password gets a new session', async (t) => {
  const { signUp, login, events } = await testApp(t);
  const first = await signUp();
  const answer = await login();
  t.equal(answer.statusCode, 200);
  const tokens = answer.json();
  t.not(tokens.session_id, first.session_id);
  t.match(tokens, { token_type: 'Bearer', expires_in: 900, refresh_expires_in: 14 * 86_400 });
  t.equal(answer.headers['cache-control'], 'no-store');
  t.same(events(), ['account.created', 'sign_in.ok']);
});

t.test('a stranger cannot tell an unknown address from a wrong password', async (t) => {
  const { signUp, login } = await testApp(t);
  await signUp();
  const wrong = await login('ada@example.com', `${PASSWORD}!`);
  const unknown = await login('eve@example.com', PASSWORD);
  t.equal(wrong.statusCode, 401);
  t.equal(unknown.statusCode, 401);
  t.same({ ...wrong.json(), instance: '' }, { ...unknown.json(), instance: '' });
});
