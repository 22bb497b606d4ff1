import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { ADMIN, generatedClient, serviceWithAdmin } from './generated-client.ts';
import { walk } from './walk.ts';

// The generators that `npm test` does not have.
const packages = 'test/generators/node_modules';

t.test('openapi-typescript and openapi-fetch', async (t) => {
  const url = await serviceWithAdmin(t);
  const { typedClient, project } = await generatedClient(
    t,
    { heading: 'openapi-typescript', adapter: 'openapi-fetch', packages },
    url,
  );
  await walk(t, typedClient(url), { email: 'ada@example.com', admin: ADMIN });

  const recipe = await import(pathToFileURL(join(project, 'dist/api.js')).href);
  await recipe.client.login(ADMIN);
  const { data } = await recipe.api.GET('/v1/me/sessions');
  t.ok(data.sessions.length > 0, 'with the access token of the browser module');
  recipe.client.close();
});

t.test('@hey-api/openapi-ts', async (t) => {
  const url = await serviceWithAdmin(t);
  const { typedClient, project } = await generatedClient(
    t,
    {
      heading: '@hey-api/openapi-ts',
      adapter: 'hey-api',
      packages,
      // Its own files do not compile under exactOptionalPropertyTypes (hey-api/hey-api#2363).
      knownFaults: /^latchkey\/(client|core)\/.*exactOptionalPropertyTypes/,
    },
    url,
  );
  await walk(t, typedClient(url), { email: 'ada@example.com', admin: ADMIN });

  const recipe = await import(pathToFileURL(join(project, 'dist/api.js')).href);
  await recipe.signedIn.login(ADMIN);
  const { data } = await recipe.listSessions();
  t.ok(data.sessions.length > 0, 'with the access token of the browser module');
  recipe.signedIn.close();
});
