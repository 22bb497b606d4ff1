import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLocalJWKSet, jwtVerify } from 'jose';
import type { Test } from 'tap';
import { newMasterSecret, newSigningKey } from '../../src/parts/keys/new-keys.ts';
import type { PrivateJwk } from '../../src/schemas/jwk.ts';
import { codeAt, withFactor } from '../authenticator.ts';
import { folder } from '../databases.ts';
import { keySet, PASSWORD, type TestApp, TestClock, type Tokens, testApp } from '../test-app.ts';
import { keysCommand } from './key-commands.ts';

/** Days, hours and minutes in seconds. */
export const [DAY, HOUR, MINUTE] = [86_400, 3_600, 60];
const SESSION_MAX = 30 * DAY;
const MAX_AGE = 300;
const ISSUER = 'http://localhost:3000';

/** Clocks of nodes may differ by five seconds, those of verifiers by five more to each side (ms). */
const NODE_SKEWS = [-2_500, 0, 2_500];
const VERIFIER_SKEWS = [-5_000, 5_000];

/** What an operator does, at a time in seconds since the drill began. */
export interface Event {
  at: number;
  act(keys: KeyFile): Promise<unknown>;
  /** When each node has the new file (seconds after). */
  lags?: number[];
}

export interface KeyFile {
  /** Runs a command, and fails the test unless it exits with 0. */
  run(name: Parameters<typeof keysCommand>[0], options?: Record<string, boolean>): Promise<void>;
  /** Edits the file by hand. `now`: seconds. */
  edit(change: (keys: PrivateJwk[], now: number) => PrivateJwk[]): void;
}

interface Client {
  email: string;
  signedInAt: number;
  tokens: Tokens;
}

interface Seen {
  token: string;
  exp: number;
  /** Oldest and newest token of each key and node are checked: between them nothing can differ. */
  group: string;
}

const claimsOf = (token: string, part: 0 | 1) =>
  JSON.parse(Buffer.from(token.split('.')[part] as string, 'base64url').toString());

/** Three nodes on one database and one key file, three clients who refresh on any of them, and a second factor. */
async function world(t: Test) {
  const path = join(folder(t), 'keys.json');
  const env = { SIGNING_KEYS: path, DATABASE_URL: `file:${path}.db` };
  const clocks = NODE_SKEWS.map(() => new TestClock());
  const start = new TestClock().now / 1_000;
  const first = [newSigningKey('ES256', start - DAY), newMasterSecret(start - DAY)];
  writeFileSync(path, keySet(...first), { mode: 0o600 });
  const nodes: TestApp[] = [];
  for (const clock of clocks) nodes.push(await testApp(t, { env, clock }));
  const factor = await withFactor(t, nodes[0] as TestApp, 'factor@example.com');
  return { path, env, clocks, nodes, factor, start: start + 5 * MINUTE };
}

/**
 * Lets the time pass through `instants` (seconds), and returns what went wrong, each thing once with its time: a valid token
 * that a node or a verifier refuses, a refresh token or device token that a node does not read, a refresh that fails.
 */
export async function drill(t: Test, events: Event[], instants: number[]): Promise<string[]> {
  const { path, env, clocks, nodes, factor, start } = await world(t);
  const wrong = new Map<string, number>();
  const keySets = new Map<string, { key: ReturnType<typeof createLocalJWKSet>; served: number }>();
  let [access, devices]: [Seen[], Seen[]] = [[], []];
  let second = 0;
  const nowOf = () => (start + second) * 1_000;
  const complain = (what: string) => wrong.has(what) || wrong.set(what, second);

  const file: KeyFile = {
    run: async (name, options = {}) => {
      const { code, err } = await keysCommand(name, { options, env, now: nowOf() });
      t.equal(code, 0, err);
    },
    edit: (change) =>
      writeFileSync(
        path,
        keySet(...change(JSON.parse(readFileSync(path, 'utf8')).keys, start + second)),
      ),
  };

  function setClocks() {
    for (const [index, clock] of clocks.entries()) {
      const now = nowOf() + (NODE_SKEWS[index] as number);
      clock.uptime += now - clock.now;
      clock.now = now;
    }
  }

  function remember(tokens: Tokens, node: number) {
    const seen = (token: string): Seen => ({
      token,
      exp: claimsOf(token, 1).exp * 1_000,
      group: `${node} ${claimsOf(token, 0).kid}`,
    });
    access.push(seen(tokens.access_token));
    if (tokens.device_token) devices.push(seen(tokens.device_token));
  }

  async function signIn(email: string, node: number): Promise<Client> {
    const answer = await (nodes[node] as TestApp).login(email, PASSWORD);
    if (answer.statusCode !== 200) throw new Error(`sign-in: ${answer.body}`);
    remember(answer.json(), node);
    return { email, signedInAt: second, tokens: answer.json() };
  }

  async function refresh(client: Client, node: number): Promise<Client> {
    const answer = await (nodes[node] as TestApp).refresh(client.tokens.refresh_token);
    if (answer.statusCode !== 200) {
      complain('a refresh is lost');
      return signIn(client.email, node);
    }
    remember(answer.json(), node);
    return { ...client, tokens: answer.json() };
  }

  async function fetchKeySets() {
    for (const { app } of nodes) {
      const { headers, payload } = await app.inject('/.well-known/jwks.json');
      const key = keySets.get(`${headers.etag}`)?.key ?? createLocalJWKSet(JSON.parse(payload));
      keySets.set(`${headers.etag}`, { key, served: second });
    }
    for (const [etag, { served }] of keySets) if (served < second - MAX_AGE) keySets.delete(etag);
  }

  const extremes = (all: Seen[]) =>
    [...Map.groupBy(all, ({ group }) => group).values()].flatMap((group) => [
      group.at(0) as Seen,
      group.at(-1) as Seen,
    ]);

  async function verify(clients: Client[]) {
    const alive = ({ exp }: Seen) => nowOf() - 10_000 < exp;
    [access, devices] = [access.filter(alive), devices.filter(alive)];
    for (const [index, { context }] of nodes.entries()) {
      const now = nowOf() + (NODE_SKEWS[index] as number);
      for (const { token, exp } of extremes(access)) {
        try {
          if (now < exp) context.accessTokens.read(token);
        } catch {
          complain('a node refuses an access token');
        }
      }
      for (const { token, exp } of extremes(devices))
        if (now < exp && !context.ownTokens.read('device', token))
          complain('a node refuses a device token');
      for (const { tokens } of clients)
        if (!context.ownTokens.read('refresh', tokens.refresh_token))
          complain('a node refuses a refresh token');
    }
    for (const { token, exp } of extremes(access))
      for (const skew of VERIFIER_SKEWS)
        for (const { key } of keySets.values()) {
          if (nowOf() + skew >= exp) continue;
          const currentDate = new Date(nowOf() + skew);
          await jwtVerify(token, key, { issuer: ISSUER, audience: ISSUER, currentDate }).catch(() =>
            complain('a verifier refuses an access token'),
          );
        }
  }

  setClocks();
  for (const { context } of nodes) await context.reloadKeys();
  let clients: Client[] = [];
  for (const [index, node] of nodes.entries()) {
    const email = `client${index}@example.com`;
    await node.signUp(email);
    clients.push(await signIn(email, index));
  }
  const times = new Set([...instants, ...events.map(({ at }) => at)]);
  const reloads: { at: number; node: TestApp }[] = [];
  for (const { at, lags = [1, 60, 240] } of events)
    for (const [index, node] of nodes.entries())
      reloads.push({ at: at + (lags[index] as number), node });
  for (const { at } of reloads) times.add(at);

  for (const time of [...times].sort((a, b) => a - b)) {
    second = time;
    setClocks();
    for (const event of events) if (event.at === time) await event.act(file);
    for (const { at, node } of reloads) if (at === time) await node.context.reloadKeys();
    await fetchKeySets();
    const turn = instants.indexOf(time);
    const acted: Client[] = [];
    for (const [index, client] of turn < 0 ? [] : clients.entries()) {
      // Every client comes to every node in turn.
      const node = (index + turn) % nodes.length;
      const isOver = time - client.signedInAt > SESSION_MAX - MINUTE;
      acted.push(await (isOver ? signIn(client.email, node) : refresh(client, node)));
    }
    if (turn >= 0) clients = acted;
    await verify(clients);
  }

  const last = nodes[1] as TestApp;
  const challenge = await last.login('factor@example.com');
  const code = codeAt(factor.secret, last.clock.now);
  const { mfa_token } = challenge.json();
  const proven = await last.post('/v1/login/mfa', { mfa_token, code });
  if (proven.statusCode !== 200) complain('a second factor is lost');
  return [...wrong].map(([what, at]) => `${what} after ${at} s`);
}
