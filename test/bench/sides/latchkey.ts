/**
 * This server with production settings, and two routes more: the same bytes without a token. Hands the bench access
 * tokens, as a sign-in for each would take minutes.
 */

import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { issuePair } from '../../../src/actions/tokens/token-pair.ts';
import { buildApp } from '../../../src/app.ts';
import { readConfig } from '../../../src/config.ts';
import { buildContext } from '../../../src/context.ts';
import { logDestination } from '../../../src/http/log-destination.ts';
import { keepTickShape } from '../../../src/http/tick-shape.ts';
import { randomId } from '../../../src/parts/ids.ts';
import { newMasterSecret, newSigningKey } from '../../../src/parts/keys/new-keys.ts';
import { newPerson } from '../../../src/rules/accounts.ts';
import { AccessClaims } from '../../../src/schemas/claims.ts';
import { people } from './people.ts';
import { serving } from './serving.ts';
import { signedIn } from './signed-in.ts';

const TOKENS = 10_000;

keepTickShape();
const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
const keys = [newSigningKey('ES256', 0), newMasterSecret(0)];
const config = readConfig(
  {
    NODE_ENV: 'production',
    ISSUER: 'https://auth.example.com',
    APP_URL: 'https://app.example.com',
    MAIL_URL: 'smtp://127.0.0.1:25',
    MAIL_FROM: 'auth@example.com',
    SIGNING_KEYS: JSON.stringify({ keys }),
    DATABASE_URL: process.env['DATABASE_URL'] ?? `file:${join(folder, 'bench.db')}`,
    // Counted like in production; the load comes from one address.
    RATE_LIMIT: '9999999/1m',
    AUTH_RATE_LIMIT: '9999999/1m',
    ...process.env,
  },
  {},
);
const log = pino({ level: config.LOG_LEVEL }, logDestination(false));
const context = await buildContext(config, { logger: log });
const app = await buildApp(context, { logger: log });

const user = newPerson(
  {
    id: '0192f3a0-0000-7000-8000-000000000001',
    email: 'ada@example.com',
    name: null,
    passwordHash: null,
  },
  Date.now(),
);
const tokens = Array.from({ length: TOKENS }, (_, index) =>
  context.accessTokens.issue(user, {
    id: `session-${index}`,
    amr: ['pwd'],
    created_at: Date.now(),
  }),
);
const claims = context.accessTokens.read(tokens[0] as string);
const holders = signedIn(Number(process.env['SESSIONS'] ?? 0));
if (holders.length > 0) await context.users.insertMany(holders.map((holder) => holder.user));
const signingIn = await people(Number(process.env['PEOPLE'] ?? 0));
if (signingIn.length > 0) await context.users.insertMany(signingIn);
const refreshTokens = holders.map(
  (holder) => issuePair(context, { ...holder, device: randomId() }).refresh_token,
);
const text = JSON.stringify(claims);

// The same answer with the same headers, for anyone.
app.route({
  method: 'GET',
  url: '/bench/public',
  config: { access: 'public' },
  schema: { hide: true, response: { 200: AccessClaims } },
  handler: (_request, reply) => {
    reply
      .header('x-auth-subject', claims.sub)
      .header('x-auth-roles', claims.roles.join(','))
      .header('x-auth-session', claims.sid)
      .header('content-type', 'application/json; charset=utf-8')
      .send(text as unknown as AccessClaims);
  },
});
await app.listen({ host: '127.0.0.1', port: 0 });
context.revocationFeed.follow(500, () => {});
const publicKey = createPublicKey({ key: keys[0] as JsonWebKey, format: 'jwk' });
serving((app.server.address() as AddressInfo).port, {
  tokens,
  refreshTokens,
  emails: signingIn.map(({ email }) => email),
  claims,
  publicKey: publicKey.export({ type: 'spki', format: 'pem' }),
});
