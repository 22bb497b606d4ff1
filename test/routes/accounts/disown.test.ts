import t from 'tap';
import { refused } from '../../refused.ts';
import { testApp } from '../../test-app.ts';

t.test('a link that is none deletes no account', async (t) => {
  const { post, signUp, as } = await testApp(t);
  const { access_token } = await signUp();
  for (const token of ['x', access_token])
    refused(t, await post('/v1/email/not-me', { token }), 400, 'link_invalid');
  refused(t, await post('/v1/email/not-me', {}), 422, 'invalid_input');
  t.equal((await as(access_token, { url: '/v1/me' })).statusCode, 200);
});
