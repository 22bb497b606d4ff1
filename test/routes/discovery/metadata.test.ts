import t from 'tap';
import { testApp } from '../../test-app.ts';

t.test('with only the issuer, tools find the key set and the endpoints', async (t) => {
  const issuer = 'https://auth.example.com';
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
    grant_types_supported: ['client_credentials', 'refresh_token'],
    token_endpoint: `${issuer}/oauth/token`,
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
    introspection_endpoint: `${issuer}/oauth/introspect`,
    introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    revocation_endpoint: `${issuer}/oauth/revoke`,
    revocation_endpoint_auth_methods_supported: [
      'client_secret_basic',
      'client_secret_post',
      'none',
    ],
    dpop_signing_alg_values_supported: ['ES256', 'Ed25519', 'EdDSA', 'PS256', 'RS256'],
    global_token_revocation_endpoint: `${issuer}/v1/global-token-revocation`,
    global_token_revocation_endpoint_auth_methods_supported: ['Bearer'],
    revocations_uri: `${issuer}/.well-known/revocations`,
    service_documentation: `${issuer}/docs`,
  });
});
