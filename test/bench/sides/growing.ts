/** A node with a table of COUNT users. Told what to do and how often; answers how long that took. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { RevocationFeed } from '../../../src/parts/revocations/revocation-feed.ts';
import { Revocations } from '../../../src/parts/revocations/revocations.ts';
import { type Database, openDatabase } from '../../../src/parts/storage/database.ts';
import { migrate } from '../../../src/parts/storage/migrations.ts';
import { Users } from '../../../src/parts/storage/users.ts';
import { withoutPersonalData } from '../../../src/rules/accounts.ts';
import { REVOCATION_LIFE } from '../../../src/rules/sessions.ts';
import { emailOf, idOf } from '../crowd.ts';
import { median } from '../measure.ts';

export interface Asked {
  does: keyof typeof operations;
  times: number;
}

export interface Took {
  /** Median of one (ms). */
  milliseconds: number;
  /** Processor time of one (ms), of all threads. */
  processor: number;
  /** The longest that the event loop was held (ms). */
  longest: number;
}

const url = process.env['DATABASE_URL'] as string;
const count = Number(process.env['COUNT']);
const clock = Date.now;
const uptime = () => performance.now();

interface Node {
  database: Database;
  users: Users;
  feed: RevocationFeed;
}

async function start(): Promise<Node> {
  const database = openDatabase({ url, pool: 10 });
  await migrate(database);
  const revocations = new Revocations(uptime);
  const users = new Users(database, {
    wrote: (user) => revocations.learn(user),
    unreadable: () => {},
  });
  const feed = new RevocationFeed({ users, revocations, clock, uptime });
  return { database, users, feed };
}

const { users, feed } = await start();
/** Any person whom the bench neither revokes nor removes: it takes those of the first half. */
const anyone = () => Math.floor(count * (0.5 + Math.random() / 2));

const operations = {
  'a sign-in look-up': () => users.findByEmail(emailOf(anyone())),
  'the write of a refresh': () =>
    users.change(idOf(anyone()), (user) => ({
      user: { ...user, sessions: [...user.sessions], updated_at: clock() },
      result: true,
    })),
  'a search by address': () =>
    users.list({ kind: 'person', emailPrefix: emailOf(anyone()).slice(0, -14), limit: 50 }),
  'the list of service accounts': () => users.list({ kind: 'service', limit: 50 }),
  'a revocation poll': () => feed.poll(),
  'the clean-up': () => users.removeDeleted(clock() - REVOCATION_LIFE),
  'a start': async () => {
    const node = await start();
    await node.feed.poll();
    await node.database.destroy();
  },
};

/** Deleted before each clean-up. */
const GONE = 15;
let gone = Math.floor(count * 0.3);

/** What comes before, and is not measured. */
const before: Partial<Record<Asked['does'], () => Promise<void>>> = {
  'the clean-up': async () => {
    const longAgo = clock() - 2 * REVOCATION_LIFE;
    for (const until = gone - GONE; gone > until; gone -= 1)
      await users.change(idOf(gone), (user) => ({
        user: withoutPersonalData(user, longAgo),
        result: undefined,
      }));
  },
};

process.on('disconnect', () => process.exit());
process.on('message', async ({ does, times }: Asked) => {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  // The monitor counts from its second beat on.
  await sleep(5);
  delay.reset();
  const took: number[] = [];
  let used = 0;
  for (let index = 0; index < times; index += 1) {
    await before[does]?.();
    const cpu = process.cpuUsage();
    const from = performance.now();
    await operations[does]();
    took.push(performance.now() - from);
    const { user, system } = process.cpuUsage(cpu);
    used += user + system;
  }
  await sleep(5);
  delay.disable();
  process.send?.({
    milliseconds: median(took),
    processor: used / 1_000 / times,
    longest: delay.max / 1e6,
  } satisfies Took);
});
process.send?.('ready');
