import t from 'tap';
import {
  cookieHeader,
  cookiesIn,
  outsideProvider,
  signInAt,
  slotOf,
} from '../../../oidc-provider.ts';
import { TestClock, testApp } from '../../../test-app.ts';

const clock = new TestClock();
clock.now = Date.now();
const provider = await outsideProvider(t);
const app = await testApp(t, { clock, env: slotOf(provider) });
provider.people.set('ada', { email: 'ada@example.com', email_verified: true, name: 'Ada' });

t.test('a new person gets an account, and a session in cookies', async (t) => {
  const answer = await signInAt(app, provider);
  t.equal(answer.statusCode, 303, answer.payload);
  t.equal(answer.headers.location, 'http://localhost:3000/account');
  const cookies = cookiesIn(answer);
  t.ok(cookies.get('__Secure-latchkey_refresh'));
  const refreshed = await app.post('/v1/refresh', undefined, {
    cookie: cookieHeader(cookies),
    origin: 'http://localhost:3000',
  });
  t.equal(refreshed.statusCode, 200, refreshed.payload);
  console.error(app.logs);
});
