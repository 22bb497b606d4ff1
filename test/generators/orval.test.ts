import t from 'tap';
import { ADMIN, generatedClient, serviceWithAdmin } from './generated-client.ts';
import { walk } from './walk.ts';

t.test('a client that orval generates goes from signing up to signing out', async (t) => {
  const url = await serviceWithAdmin(t);
  const { typedClient } = await generatedClient(
    t,
    { heading: 'orval', adapter: 'orval', packages: 'node_modules' },
    url,
  );
  await walk(t, typedClient(url), { email: 'ada@example.com', admin: ADMIN });
});
