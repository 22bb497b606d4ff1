import t from 'tap';
import { carriedOut, mailedPageOf } from '../../mailed-pages.ts';
import { PASSWORD } from '../../test-app.ts';

t.test('the page /login shows how to sign in', async (t) => {
  const { app, command } = await mailedPageOf(t, '/login');
  await app.signUp('you@example.com');
  const { status, body } = await carriedOut(command, { 'your password': PASSWORD });
  t.equal(status, 200);
  t.ok(JSON.parse(body).access_token);
});
