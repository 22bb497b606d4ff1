import t from 'tap';
import { migrate } from '../../src/parts/storage/migrations.ts';
import { opened, sqliteInMemory } from '../databases.ts';
import { passwordHash, signedIn } from '../people.ts';
import { refused } from '../refused.ts';
import { TestClock, testApp } from '../test-app.ts';

t.test(
  'what was signed out before a clock ran fast stays so on nodes that start later',
  async (t) => {
    const database = opened(t, await sqliteInMemory.create());
    await migrate(database);
    const clock = new TestClock();
    const node = await testApp(t, { database, clock });
    const phone = await signedIn(node, 'ada@example.com', { password_hash: passwordHash(node) });
    const laptop = (await node.login('ada@example.com')).json();
    await node.as(phone.access_token, { method: 'POST', url: '/v1/logout' });

    clock.now += 3_600_000;
    const next = (await node.refresh(laptop.refresh_token)).json();
    clock.now -= 3_600_000;

    const later = await testApp(t, { database, clock });
    for (const { as } of [node, later])
      refused(t, await as(phone.access_token, { url: '/v1/whoami' }), 401, 'token_revoked');
    t.equal((await later.refresh(next.refresh_token)).statusCode, 200);
  },
);
