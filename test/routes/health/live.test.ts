import t from 'tap';
import { testApp } from '../../test-app.ts';

t.test('the process is alive even if the database fails', async (t) => {
  const { inject, context } = await testApp(t);
  for (const _ of ['with', 'without']) {
    const answer = await inject({ url: '/livez' });
    t.equal(answer.statusCode, 200);
    t.strictSame(answer.json(), { status: 'ok' });
    t.equal(answer.headers['cache-control'], 'no-store');
    await context.close();
  }
});
