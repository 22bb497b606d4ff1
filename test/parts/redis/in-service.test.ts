import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { testApp } from '../../test-app.ts';
import { respServer } from './resp-server.ts';

t.test('a service counts requests in its Redis, and says whether it is there', async (t) => {
  let isSilent = false;
  const redis = await respServer(t, ([name = '']) => {
    if (isSilent) return undefined;
    return name.toUpperCase() === 'INFO' ? '$0\r\n' : '*2\r\n:1\r\n:60000';
  });
  const { inject, context } = await testApp(t, {
    env: { REDIS_URL: redis.url, RATE_LIMIT: '600/1m' },
  });
  t.equal((await inject({ url: '/v1/whoami' })).statusCode, 401);
  t.ok(redis.heard.length > 0);
  t.notMatch(JSON.stringify(redis.heard), '127.0.0.1', 'no address of a client');
  const isUp = async () =>
    /^latchkey_redis_up (\d)/m.exec(await context.metrics.registry.metrics())?.[1];
  const before = await isUp();
  isSilent = true;
  for (let look = 0; look < 100 && (await isUp()) === '1'; look += 1) {
    await inject({ url: '/v1/whoami' });
    await sleep(20);
  }
  t.same([before, await isUp()], ['1', '0']);
});
