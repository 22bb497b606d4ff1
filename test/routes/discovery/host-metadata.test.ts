import * as oauth from 'oauth4webapi';
import t from 'tap';
import { freePort } from '../../free-port.ts';
import { serviceAccount } from '../../people.ts';
import { testApp } from '../../test-app.ts';

const BASE = '/auth/v2.1';
const port = await freePort();
const ISSUER = `http://127.0.0.1:${port}${BASE}`;
const service = await testApp(t, { env: { ISSUER } });
const { app, logs } = service;

t.test(
  'a library finds the metadata where RFC 8414 puts it, and the addresses in it work',
  async (t) => {
    const issuer = new URL(ISSUER);
    await app.listen({ host: '127.0.0.1', port });
    const { id, secret } = await serviceAccount(service);
    const options = { [oauth.allowInsecureRequests]: true };
    const answer = await oauth.discoveryRequest(issuer, { ...options, algorithm: 'oauth2' });
    t.equal(logs.at(-1)?.['route'], `/.well-known/oauth-authorization-server${BASE}`);
    const server = await oauth.processDiscoveryResponse(issuer, answer);
    t.equal(server.jwks_uri, `${ISSUER}/.well-known/jwks.json`);
    const below = await app.inject({ url: `${BASE}/.well-known/oauth-authorization-server` });
    t.same(below.json(), server, 'and below the path');

    const client = { client_id: id };
    const token = await oauth.processClientCredentialsResponse(
      server,
      client,
      await oauth.clientCredentialsGrantRequest(
        server,
        client,
        oauth.ClientSecretBasic(secret),
        new URLSearchParams(),
        options,
      ),
    );
    t.ok(token.access_token);
    const keys = await app.inject({ url: new URL(String(server.jwks_uri)).pathname });
    t.equal(keys.json().keys.length, 1);
  },
);
