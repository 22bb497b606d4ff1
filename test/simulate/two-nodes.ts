import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { pino } from 'pino';
import { refreshSession } from '../../src/actions/sessions/refresh.ts';
import { issuePair } from '../../src/actions/tokens/token-pair.ts';
import { readConfig } from '../../src/config.ts';
import { buildContext, type Context } from '../../src/context.ts';
import { newMasterSecret, newSigningKey } from '../../src/parts/keys/new-keys.ts';
import { signedIn } from '../people.ts';
import type { Issuer } from './issuer.ts';
import { NodeProcess } from './node-process.ts';

type Clock = () => number;

/** Something that answers refreshes. */
interface Node {
  refresh: Issuer['refresh'];
  close(): Promise<unknown>;
}

const contextOf = (env: Record<string, string>, clock: Clock) =>
  buildContext(readConfig(env), { logger: pino({ level: 'silent' }), clock });

/** The real actions and storage, without HTTP: it takes a third of the time. */
async function inThisProcess(env: Record<string, string>, clock: Clock): Promise<Node> {
  const context = await contextOf(env, clock);
  return {
    refresh: async (presented) => {
      const refreshed = await refreshSession(context, { ...presented, transport: 'body' });
      const { outcome } = refreshed;
      if (outcome === 'unproven') return { outcome };
      if (!('session' in refreshed) || outcome === 'reused') return { outcome: 'refused' };
      const { refresh_token: token } = issuePair(context, refreshed);
      return { outcome: outcome === 'repeated' ? 'repeated' : 'rotated', token };
    },
    close: () => context.close(),
  };
}

/** Puts a session straight into the table: no password is hashed. */
async function signIn(context: Context, email: string, jkt: string | undefined): Promise<string> {
  const { id, refresh_token } = await signedIn({ context }, email);
  if (jkt !== undefined)
    await context.users.change(id, (user) => ({
      user: { ...user, sessions: user.sessions.map((session) => ({ ...session, jkt })) },
      result: undefined,
    }));
  return refresh_token;
}

/** Two nodes on one SQLite file, and a standby that lags. */
async function twoNodes(clock: Clock, open: (env: Record<string, string>) => Promise<Node>) {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-simulate-'));
  const file = join(folder, 'primary.db');
  const keys = [newSigningKey('EdDSA', 0), newMasterSecret(0)];
  const env = { DATABASE_URL: `file:${file}`, SIGNING_KEYS: JSON.stringify({ keys }) };
  const context = await contextOf(env, clock);
  const nodes = [await open(env), await open(env)] as const;
  const database = new Sqlite(file, { timeout: 5_000 });
  database.exec(
    `attach '${join(folder, 'standby.db')}' as standby; create table standby.users as select * from users`,
  );
  let signIns = 0;
  const issuer: Issuer = {
    name: 'Latchkey',
    signIn: (jkt) => {
      signIns += 1;
      return signIn(context, `${signIns}@example.com`, jkt);
    },
    refresh: (presented) => (nodes[presented.node] as Node).refresh(presented),
    replicate: database.transaction(() => {
      database.exec('delete from standby.users; insert into standby.users select * from users');
    }),
    failOver: database.transaction(() => {
      database.exec('delete from users; insert into users select * from standby.users');
    }),
    close: async () => {
      database.close();
      for (const { close } of [...nodes, context]) await close();
      rmSync(folder, { recursive: true });
    },
  };
  return issuer;
}

/** Both nodes in this process, with the clock of the simulation. */
export const latchkey = (clock: Clock): Promise<Issuer> =>
  twoNodes(clock, (env) => inThisProcess(env, clock));

/** Each node in a process of its own, asked over HTTP as a client asks. */
export const latchkeyProcesses = (clock: Clock): Promise<Issuer> =>
  twoNodes(clock, async (env) => {
    const node = await NodeProcess.start(env, clock);
    return { refresh: (presented) => node.refresh(presented), close: () => node.close() };
  });
