import t from 'tap';
import { testApp } from '../../test-app.ts';

t.test('tools find the key set from the issuer alone', async (t) => {
  const issuer = 'https://auth.example.com/tenant';
  const { inject } = await testApp(t, { env: { ISSUER: issuer } });
  const answer = await inject({
    url: '/.well-known/oauth-authorization-server',
    headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example' },
  });
  t.equal(answer.statusCode, 200);
  t.equal(answer.headers['cache-control'], 'public, max-age=300');
  t.strictSame(answer.json(), {
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    response_types_supported: [],
    grant_types_supported: [],
    service_documentation: `${issuer}/docs`,
  });
});
