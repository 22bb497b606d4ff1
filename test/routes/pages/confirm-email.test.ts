import t from 'tap';
import { carriedOut, mailedPageOf } from '../../mailed-pages.ts';

t.test('a link to /confirm-email tells its reader how to confirm', async (t) => {
  const { app, box, command } = await mailedPageOf(t, '/confirm-email');
  const { access_token } = await app.signUp();
  const token = await box.token('ada@example.com');
  t.equal((await carriedOut(command, { TOKEN: token })).status, 204);
  t.match((await app.as(access_token, { url: '/v1/me' })).json(), { email_verified: true });
});
