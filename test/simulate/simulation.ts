import { NOW } from '../rules/samples.ts';
import { plantThief, startApp, startTabs } from './clients.ts';
import type { Issuer } from './issuer.ts';
import { randomOf } from './random.ts';
import { Session, type World } from './session.ts';
import { Timeline } from './timeline.ts';
import { type Figures, noFigures } from './watch.ts';

export interface Options {
  seed: number;
  clients: number;
  /** When this many have reached it, the run ends. */
  refreshes: number;
  /** An answer may overtake an earlier one to the same browser. */
  isOvertaking?: boolean;
  /** Every session belongs to a key of its client. Thieves copy the token and not the key. */
  isBound?: boolean;
  /** Called now and then with the number of refreshes so far. */
  progress?(refreshes: number): void;
}

/** The share of sessions with a thief. */
const THEFTS = 0.5;
/** Refreshes from one failover to the next. */
const BETWEEN_FAILOVERS = 2_000;
/** How far the standby lags (ms). */
const LAG = 20_000;
const DAY = 86_400_000;

/**
 * Half of the clients are apps, half are tabs; half of the sessions have a thief. The same seed gives every issuer the
 * same clients, thieves and networks, as long as it gives the same answers.
 */
export async function simulate(
  open: (clock: () => number) => Issuer | Promise<Issuer>,
  { seed, clients, refreshes, isOvertaking = false, isBound = false, progress }: Options,
): Promise<Figures> {
  const timeline = new Timeline(NOW);
  const issuer = await open(() => timeline.now);
  const figures = noFigures();
  const world: World = { timeline, issuer, figures, isOvertaking };
  const sessions = new Map<number, Session>();

  const signIn = async (client: number, times: number) => {
    const random = randomOf(seed * 1_000_003 + client * 1_009 + times);
    const again = () => timeline.after(60_000, () => signIn(client, times + 1));
    const jkt = isBound ? `the key of client ${client}` : undefined;
    const token = await issuer.signIn(jkt);
    const session = new Session(world, { token, jkt, random, ended: again });
    sessions.set(client, session);
    if (client % 2 === 0) startApp(session);
    else startTabs(session);
    if (random.chance(THEFTS)) plantThief(session);
    // Well before a session expires.
    session.after(10 * DAY, () => {
      session.watch.isOver = true;
      again();
    });
  };

  const failOver = () => {
    issuer.failOver();
    for (const [client, { watch }] of sessions) {
      watch.failedOver(timeline.now);
      if (watch.isOver || watch.since < timeline.now - LAG) continue;
      figures.lostSignIns += 1;
      watch.isOver = true;
      timeline.after(1_000, () => signIn(client, figures.lostSignIns + 1_000));
    }
  };

  try {
    for (let client = 0; client < clients; client += 1) await signIn(client, 0);
    let nextFailover = BETWEEN_FAILOVERS;
    let replicatedAt: number | undefined;
    while (figures.refreshes < refreshes) {
      await timeline.step();
      if (replicatedAt !== undefined && timeline.now >= replicatedAt + LAG) {
        failOver();
        replicatedAt = undefined;
      } else if (replicatedAt === undefined && figures.refreshes >= nextFailover) {
        issuer.replicate();
        replicatedAt = timeline.now;
        nextFailover += BETWEEN_FAILOVERS;
      }
      progress?.(figures.refreshes);
    }
  } finally {
    await issuer.close();
  }
  return figures;
}
