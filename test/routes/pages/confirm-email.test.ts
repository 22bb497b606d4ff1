import t from 'tap';
import { carriedOut, mailedPageOf } from '../../mailed-pages.ts';

t.test('the page /confirm-email shows how to confirm an address', async (t) => {
  const { app, box, command } = await mailedPageOf(t, '/confirm-email');
  const { access_token } = await app.signUp();
  const token = await box.token('ada@example.com');
  t.equal((await carriedOut(command, { TOKEN: token })).status, 204);
  t.match((await app.as(access_token, { url: '/v1/me' })).json(), { email_verified: true });
});
