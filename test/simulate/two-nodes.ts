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

/**
 * The real actions and storage: two nodes on one SQLite file, in this process. A process of its own would have a clock of
 * its own, and days of refreshes would take days.
 */
export async function latchkey(clock: () => number): Promise<Issuer> {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-simulate-'));
  const file = join(folder, 'primary.db');
  const standby = join(folder, 'standby.db');
  const keys = [newSigningKey('EdDSA', 0), newMasterSecret(0)];
  const config = readConfig({
    DATABASE_URL: `file:${file}`,
    SIGNING_KEYS: JSON.stringify({ keys }),
  });
  const open = () => buildContext(config, { logger: pino({ level: 'silent' }), clock });
  const nodes = [await open(), await open()];
  const database = new Sqlite(file);
  database.exec(
    `attach '${standby}' as standby; create table standby.users as select * from users`,
  );
  let signIns = 0;

  return {
    name: 'Latchkey',
    signIn: async (jkt) => {
      signIns += 1;
      const [context] = nodes as [Context];
      const { id, refresh_token } = await signedIn({ context }, `${signIns}@example.com`);
      if (jkt !== undefined)
        await context.users.change(id, (user) => ({
          user: { ...user, sessions: user.sessions.map((session) => ({ ...session, jkt })) },
          result: undefined,
        }));
      return refresh_token;
    },
    refresh: async ({ node, ...presented }) => {
      const context = nodes[node] as Context;
      const refreshed = await refreshSession(context, { ...presented, transport: 'body' });
      const { outcome } = refreshed;
      if (outcome === 'unproven') return { outcome };
      if (!('session' in refreshed) || outcome === 'reused') return { outcome: 'refused' };
      const { refresh_token: token } = issuePair(context, refreshed);
      return { outcome: outcome === 'repeated' ? 'repeated' : 'rotated', token };
    },
    replicate: database.transaction(() => {
      database.exec('delete from standby.users; insert into standby.users select * from users');
    }),
    failOver: database.transaction(() => {
      database.exec('delete from users; insert into users select * from standby.users');
    }),
    close: async () => {
      database.close();
      for (const context of nodes) await context.close();
      rmSync(folder, { recursive: true });
    },
  };
}
