import t from 'tap';
import { carriedOut, mailedPageOf } from '../../mailed-pages.ts';

t.test('the page /forgot-password shows how to ask for a new password', async (t) => {
  const { app, box, command } = await mailedPageOf(t, '/forgot-password');
  await app.signUp('you@example.com');
  const email = 'you@example.com';
  await box.token(email);
  t.equal((await carriedOut(command)).status, 202);
  for (let text = ''; !text.includes('/reset-password#token='); )
    text = (await box.next(email)).mail.text ?? '';
});
