import t from 'tap';
import { tokenOf } from '../../mailbox.ts';
import { carriedOut, mailedPageOf } from '../../mailed-pages.ts';

t.test('the page /reset-password shows how to choose a new password', async (t) => {
  const { app, box, command } = await mailedPageOf(t, '/reset-password');
  const email = 'ada@example.com';
  await app.signUp(email);
  await box.next(email);
  t.equal((await app.post('/v1/password/forgot', { email })).statusCode, 202);
  const token = tokenOf(await box.next(email)) as string;
  const next = 'a lantern in the rainy harbour';
  const words = { TOKEN: token, 'a password of at least 15 characters': next };
  t.equal((await carriedOut(command, words)).status, 204);
  t.equal((await app.login(email, next)).statusCode, 200);
  t.equal((await carriedOut(command, words)).status, 400, 'the link works once');
});
