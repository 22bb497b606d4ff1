import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import t from 'tap';
import { freePort } from '../free-port.ts';
import { serviceAccount, signedIn } from '../people.ts';
import { TestClock, testApp } from '../test-app.ts';

const port = await freePort();
const issuer = new URL(`http://127.0.0.1:${port}`);
const clock = new TestClock();
clock.now = Date.now();
const env = { ISSUER: issuer.origin, AUDIENCE: 'https://api.example.com' };
const app = await testApp(t, { env, clock });
await app.app.listen({ host: '127.0.0.1', port });

/** The server of the test has no TLS. */
const plain = { [oauth.allowInsecureRequests]: true };

/** The authorization server, configured only from its metadata document. */
const discover = async () =>
  oauth.processDiscoveryResponse(
    issuer,
    await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...plain }),
  );

/** How the library reports a refusal. */
const refusalOf = (answer: Promise<unknown>): Promise<unknown> =>
  answer.then(
    () => undefined,
    (reason) => reason,
  );

for (const [name, authenticate] of [
  ['HTTP Basic', oauth.ClientSecretBasic],
  ['the body', oauth.ClientSecretPost],
] as const) {
  t.test(`oauth4webapi, unchanged, does the client credentials grant with ${name}`, async (t) => {
    const { id, secret } = await serviceAccount(app, ['reports:read', 'reports:write']);
    const as = await discover();
    const client = { client_id: id };
    const auth = authenticate(secret);

    const grant = async (parameters: Record<string, string>) =>
      oauth.processClientCredentialsResponse(
        as,
        client,
        await oauth.clientCredentialsGrantRequest(as, client, auth, parameters, plain),
      );
    const introspect = async (token: string) =>
      oauth.processIntrospectionResponse(
        as,
        client,
        await oauth.introspectionRequest(as, client, auth, token, plain),
      );

    const full = await grant({});
    t.match(full, { token_type: 'bearer', expires_in: 900, scope: 'reports:read reports:write' });
    t.notHas(full, 'refresh_token');
    const { access_token } = await grant({ scope: 'reports:read' });

    const request = new Request('https://api.example.com/reports', {
      headers: { authorization: `Bearer ${access_token}` },
    });
    const claims = await oauth.validateJwtAccessToken(as, request, env.AUDIENCE, plain);
    t.match(claims, { sub: id, client_id: id, roles: ['reports:read'] });

    t.match(await introspect(access_token), {
      active: true,
      client_id: id,
      sub: id,
      iss: issuer.origin,
      aud: env.AUDIENCE,
      scope: 'reports:read',
    });
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(as, client, auth, access_token, plain),
    );
    t.same(await introspect(access_token), { active: false });
    t.match(await introspect(full.access_token), { active: true }, 'the other token stays valid');
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(as, client, auth, access_token, plain),
    );
  });

  t.test(`oauth4webapi recognises each refusal, with ${name}`, async (t) => {
    const { id, secret } = await serviceAccount(app, ['reports:read']);
    const as = await discover();
    const client = { client_id: id };
    const fails = async (auth: oauth.ClientAuth, scope: string, expected: object) => {
      const answer = await oauth.clientCredentialsGrantRequest(as, client, auth, { scope }, plain);
      const granted = oauth.processClientCredentialsResponse(as, client, answer);
      t.match(await refusalOf(granted), expected);
    };
    await fails(authenticate(secret), 'admin', { error: 'invalid_scope', status: 400 });
    // If an answer has WWW-Authenticate, the library reads only that header.
    await fails(authenticate('wrong'), 'reports:read', {
      status: 401,
      cause: [{ scheme: 'basic', parameters: { realm: 'Latchkey' } }],
    });
  });
}

t.test("oauth4webapi renews a user's tokens as a client without a secret", async (t) => {
  const eve = await signedIn(app, 'eve@example.com', { roles: ['editor'] });
  const as = await discover();
  const client = { client_id: 'spa' };
  const renew = async (token: string) =>
    oauth.processRefreshTokenResponse(
      as,
      client,
      await oauth.refreshTokenGrantRequest(as, client, oauth.None(), token, plain),
    );
  const renewed = await renew(eve.refresh_token);
  t.match(renewed, { token_type: 'bearer', expires_in: 900, scope: 'editor' });
  const again = await renew(renewed.refresh_token as string);
  t.not(again.refresh_token, renewed.refresh_token);
  await oauth.processRevocationResponse(
    await oauth.revocationRequest(as, client, oauth.None(), again.refresh_token as string, plain),
  );
  const refusal = await refusalOf(renew(again.refresh_token as string));
  t.match(refusal, { error: 'invalid_grant', status: 400 });
});

for (const [name, authenticate] of [
  ['HTTP Basic', openid.ClientSecretBasic],
  ['the body', openid.ClientSecretPost],
] as const) {
  t.test(`openid-client, unchanged, does the client credentials grant with ${name}`, async (t) => {
    const { id, secret } = await serviceAccount(app, ['reports:read', 'reports:write']);
    const config = await openid.discovery(issuer, id, undefined, authenticate(secret), {
      algorithm: 'oauth2',
      execute: [openid.allowInsecureRequests],
    });
    const tokens = await openid.clientCredentialsGrant(config, { scope: 'reports:write' });
    t.match(tokens, { token_type: 'bearer', expires_in: 900, scope: 'reports:write' });
    const { access_token } = tokens;
    const asked = await openid.tokenIntrospection(config, access_token);
    t.match(asked, { active: true, sub: id, scope: 'reports:write' });
    await openid.tokenRevocation(config, access_token);
    t.same(await openid.tokenIntrospection(config, access_token), { active: false });
    const refusal = await refusalOf(openid.clientCredentialsGrant(config, { scope: 'admin' }));
    t.match(refusal, { error: 'invalid_scope', status: 400 });
  });
}

t.test('the metadata document describes exactly what the endpoints support', async (t) => {
  const as = await discover();
  t.match(as, {
    issuer: issuer.origin,
    token_endpoint: `${issuer.origin}/oauth/token`,
    introspection_endpoint: `${issuer.origin}/oauth/introspect`,
    revocation_endpoint: `${issuer.origin}/oauth/revoke`,
    grant_types_supported: ['client_credentials', 'refresh_token'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
    introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
  });
  t.same(as.response_types_supported, []);
});
