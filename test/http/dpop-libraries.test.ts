import { connect } from 'node:net';
import * as dpop from 'dpop';
import { calculateJwkThumbprint, exportJWK } from 'jose';
import * as oauth from 'oauth4webapi';
import t from 'tap';
import { athOf, clientKey, proofOf } from '../dpop.ts';
import { freePort } from '../free-port.ts';
import { passwordHash, serviceAccount, signedIn } from '../people.ts';
import { PASSWORD, TestClock, type Tokens, testApp } from '../test-app.ts';

/** A service that listens on a real port, at the real time. */
async function listening(env: Record<string, string> = {}) {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const clock = new TestClock();
  clock.now = Date.now();
  const app = await testApp(t, { env: { ISSUER: issuer, ...env }, clock });
  await app.app.listen({ host: '127.0.0.1', port });
  await signedIn(app, 'ada@example.com', { password_hash: passwordHash(app) });
  const as = await oauth.processDiscoveryResponse(
    new URL(issuer),
    await oauth.discoveryRequest(new URL(issuer), { algorithm: 'oauth2', ...plain }),
  );
  /** A sign-in with a proof that a library made. */
  const signIn = (proof: string) =>
    fetch(`${issuer}/v1/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', dpop: proof },
      body: JSON.stringify({ email: 'ada@example.com', password: PASSWORD }),
    });
  return { app, issuer, port, as, signIn, clock };
}

/** The server of the test has no TLS. */
const plain = { [oauth.allowInsecureRequests]: true };

/** Repeats a call once, as the library says, when the service asks for a nonce. */
async function withNonce<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error;
    return call();
  }
}

for (const DPOP_NONCE of ['off', 'on'])
  for (const alg of ['ES256', 'Ed25519', 'RS256', 'PS256'])
    t.test(
      `oauth4webapi, unchanged, with ${alg} and DPOP_NONCE=${DPOP_NONCE}: a service account, and a session that it refreshes`,
      async (t) => {
        const { app, as, issuer, signIn } = await listening({ DPOP_NONCE });
        t.ok(as.dpop_signing_alg_values_supported?.includes(alg));
        const { id, secret } = await serviceAccount(app, ['reader']);
        const client = { client_id: id };
        const pair = await oauth.generateKeyPair(alg, { extractable: true });
        const DPoP = oauth.DPoP({}, pair);
        const jkt = await calculateJwkThumbprint(await exportJWK(pair.publicKey));
        const auth = oauth.ClientSecretBasic(secret);
        const granted = await withNonce(async () =>
          oauth.processClientCredentialsResponse(
            as,
            client,
            await oauth.clientCredentialsGrantRequest(as, client, auth, {}, { DPoP, ...plain }),
          ),
        );
        t.equal(granted.token_type, 'dpop');
        const get = (token: string, path: string) =>
          withNonce(() =>
            oauth.protectedResourceRequest(
              token,
              'GET',
              new URL(`${issuer}${path}?x=y`),
              undefined,
              undefined,
              { DPoP, ...plain },
            ),
          );
        const whoami = await get(granted.access_token, '/v1/whoami');
        t.equal(((await whoami.json()) as { cnf: { jkt: string } }).cnf.jkt, jkt);
        const told = await oauth.processIntrospectionResponse(
          as,
          client,
          await oauth.introspectionRequest(as, client, auth, granted.access_token, plain),
        );
        t.match(told, { active: true, token_type: 'DPoP', cnf: { jkt } });

        // No grant of OAuth starts the session of a person: the `dpop` package makes the proof of the sign-in.
        const htu = `${issuer}/v1/login`;
        let answer = await signIn(await dpop.generateProof(pair as dpop.KeyPair, htu, 'POST'));
        const nonce = answer.headers.get('dpop-nonce') ?? undefined;
        t.equal(nonce !== undefined, DPOP_NONCE === 'on');
        if (nonce !== undefined)
          answer = await signIn(await dpop.generateProof(pair as dpop.KeyPair, htu, 'POST', nonce));
        const ada = (await answer.json()) as Tokens;
        t.equal(ada.token_type, 'DPoP');
        const renewed = await withNonce(async () =>
          oauth.processRefreshTokenResponse(
            as,
            { client_id: 'latchkey' },
            await oauth.refreshTokenGrantRequest(
              as,
              { client_id: 'latchkey' },
              oauth.None(),
              ada.refresh_token,
              { DPoP, ...plain },
            ),
          ),
        );
        t.equal(renewed.token_type, 'dpop');
        t.equal((await get(renewed.access_token, '/v1/me')).status, 200);

        t.comment('the same token, with the key of somebody else');
        const thief = oauth.DPoP({}, await oauth.generateKeyPair(alg));
        const steal = () =>
          oauth.protectedResourceRequest(
            renewed.access_token,
            'GET',
            new URL(`${issuer}/v1/me`),
            undefined,
            undefined,
            { DPoP: thief, ...plain },
          );
        const refusal = await withNonce(steal).catch((error) => error);
        t.ok(refusal instanceof oauth.WWWAuthenticateChallengeError);
        t.match(refusal.cause, [{ scheme: 'dpop', parameters: { error: 'invalid_dpop_proof' } }]);
      },
    );

t.test('the dpop package calls the API, and so does a client with jose', async (t) => {
  const { issuer, signIn, clock } = await listening();
  const pair = await dpop.generateKeyPair('ES256', { extractable: true });
  const answer = await signIn(await dpop.generateProof(pair, `${issuer}/v1/login`, 'POST'));
  const { access_token } = (await answer.json()) as Tokens;
  const call = (proof: string) =>
    fetch(`${issuer}/v1/me/sessions?x=y`, {
      headers: { authorization: `DPoP ${access_token}`, dpop: proof },
    });
  const htu = `${issuer}/v1/me/sessions`;
  const proof = await dpop.generateProof(pair, htu, 'GET', undefined, access_token);
  t.equal((await call(proof)).status, 200);
  t.equal((await call(proof)).status, 401, 'a replay');
  const key = { alg: 'ES256', jwk: await exportJWK(pair.publicKey), jkt: '', ...pair };
  const made = await proofOf(key, clock.now, { htu, token: access_token });
  t.equal((await call(made)).status, 200);
});

/** What the service answers to these bytes. */
const raw = (port: number, text: string): Promise<string> =>
  new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', (bytes) => {
      answer += bytes;
    });
    socket.on('close', () => resolve(answer));
  });

t.test('two DPoP headers, and one that is too long', async (t) => {
  const { issuer, port, signIn, clock } = await listening();
  const key = await clientKey();
  const htu = `${issuer}/v1/login`;
  const signed = await signIn(await proofOf(key, clock.now, { method: 'POST', htu }));
  const { access_token: token } = (await signed.json()) as Tokens;
  const proof = () => proofOf(key, clock.now, { htu: `${issuer}/v1/me`, token });
  const get = (...proofs: string[]) =>
    raw(
      port,
      [
        'GET /v1/me HTTP/1.1',
        `Host: 127.0.0.1:${port}`,
        `Authorization: DPoP ${token}`,
        ...proofs.map((text) => `DPoP: ${text}`),
        'Connection: close',
        '\r\n',
      ].join('\r\n'),
    );
  t.match(await get(await proof()), /^HTTP\/1.1 200 /);
  const absolute = `http://elsewhere.example/v1/me?x=y HTTP/1.1\r\nHost: elsewhere.example`;
  const target = `GET ${absolute}\r\nAuthorization: DPoP ${token}\r\nDPoP: ${await proof()}`;
  const inFull = await raw(port, `${target}\r\nConnection: close\r\n\r\n`);
  t.match(inFull, /^HTTP\/1.1 200 /, 'a target in absolute form is the same request');
  const one = await proof();
  for (const proofs of [
    [one, one],
    [one, await proof()],
    [one, 'x'],
    ['x', one],
    [one, ''],
  ])
    t.match(await get(...proofs), /^HTTP\/1.1 400 [\s\S]*header dpop more than once/);
  t.match(await get(await proof()), /^HTTP\/1.1 200 /);
  t.match(await get('x'.repeat(8_000)), /^HTTP\/1.1 401 [\s\S]*invalid_dpop_proof/);
  t.match(await get('x'.repeat(20_000)), /^HTTP\/1.1 431 /);
  t.equal(athOf(token).length, 43);
});
