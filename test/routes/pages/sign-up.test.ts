import t from 'tap';
import { carriedOut, mailedPageOf } from '../../mailed-pages.ts';
import { PASSWORD } from '../../test-app.ts';

t.test('the page /sign-up shows how to finish signing up', async (t) => {
  const { app, box, command } = await mailedPageOf(t, '/sign-up');
  const email = 'ada@example.com';
  t.equal((await app.post('/v1/register', { email })).statusCode, 202);
  const words = {
    TOKEN: await box.token(email),
    'a password of at least 15 characters': PASSWORD,
    'Your name': 'Ada',
  };
  const { status, body } = await carriedOut(command, words);
  t.equal(status, 201);
  const me = await app.as(JSON.parse(body).access_token, { url: '/v1/me' });
  t.match(me.json(), { email, name: 'Ada', email_verified: true });
});
