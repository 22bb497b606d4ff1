import { randomId } from '../../src/parts/ids.ts';
import type { rotate } from '../../src/rules/rotation.ts';
import type { SessionLimits } from '../../src/rules/sessions.ts';
import {
  isLive,
  withNewSession,
  withOtherSessionsEndedAndTokensRevoked,
} from '../../src/rules/sessions.ts';
import type { Session, User } from '../../src/schemas/user.ts';
import { type Answer, keyOf, type Sent, type Token, type World } from './refresh-world.ts';
import { ada, limits, NOW, SECOND } from './samples.ts';

interface Step {
  name: string;
  world: World;
}

/** A step, and where it was taken. */
interface Place extends Step {
  from: Place | undefined;
}

/** The names of the steps that lead here. */
const wayTo = ({ name, from }: Place): string[] => (from ? [...wayTo(from), name] : []);

const SHORT = 10 * SECOND;
/** The shortest time after which the grace is over. */
const LONG = limits.grace + 1;
const MAX_ON_THE_WAY = 2;

export interface Search {
  client: 'tabs' | 'app';
  rotate: typeof rotate;
  depth: number;
  /** The limits that the server uses. The promise that is checked is that of `limits`. */
  serverLimits?: SessionLimits;
  /** No thief, no failover and no new password, so the search goes deeper in the same time. */
  isAlone?: boolean;
  /** An answer may overtake an earlier one: two tabs refresh at the same time, without a lock. */
  isReordered?: boolean;
  /** The tab whose answer was overtaken refreshes again at once. */
  refreshesAgain?: boolean;
  /** The session belongs to a key of the client, which the thief does not have. */
  isBound?: boolean;
}

export interface Found {
  /** Worlds from which every step was taken. */
  states: number;
  /** The shortest way to a broken promise, or undefined if there is none to this depth. */
  counterexample: string[] | undefined;
}

class Broken extends Error {}

export function search({
  client,
  rotate,
  depth,
  serverLimits = limits,
  isAlone = false,
  isReordered = false,
  refreshesAgain = false,
  isBound = false,
}: Search): Found {
  const binding = isBound ? { jkt: 'the key of the owner' } : {};
  const { user, session } = withNewSession(
    ada(),
    { id: randomId(), amr: ['pwd'], transport: 'body', client: '', ...binding },
    NOW,
    limits,
  );
  const { id: sid } = session;

  const written = (world: World, row: User): World =>
    row === world.row ? world : { ...world, row, older: [world.row, ...world.older].slice(0, 2) };

  const present = (world: World, sent: Sent, proof: { jkt?: string } = binding) => {
    const presented = { sid, transport: 'body' as const, ...sent, ...proof };
    const { user: row, result } = rotate(world.row, presented, world.now, serverLimits);
    const isAnswered = 'session' in result && result.outcome !== 'reused';
    return {
      outcome: result.outcome,
      answer: isAnswered ? { gen: result.session.gen, ver: row.token_version } : undefined,
      world: written(world, row),
    };
  };

  const overtakenAs = ({ isOvertaken }: Answer) => (isOvertaken ? { isOvertaken } : {});
  const overtaken = <T extends Answer>(each: T[]): T[] =>
    refreshesAgain ? each.map((one) => ({ ...one, isOvertaken: true })) : each;

  function arrival(world: World, index: number, mayComeAgain: boolean): Step {
    const sent = world.requests[index] as Sent;
    const requests = world.requests.toSpliced(
      index,
      1,
      ...(mayComeAgain ? [{ ...sent, isDoubled: true as const }] : []),
    );
    const { outcome, answer, world: after } = present({ ...world, requests }, sent);
    const name = `request ${sent.gen}${mayComeAgain ? ' (will come twice)' : ''} arrives: ${outcome}`;
    if (answer === undefined && !world.hasThiefActed)
      throw new Broken(`${name}: the owner is signed out`);
    const isAfterThief =
      world.thiefUsedAt !== undefined && world.now > world.thiefUsedAt + limits.grace;
    const ownerSince =
      outcome === 'rotated' && isAfterThief ? (world.ownerSince ?? world.now) : world.ownerSince;
    return {
      name,
      world: {
        ...after,
        ownerSince,
        isDetected: world.isDetected || outcome === 'reused',
        // The second answer to a doubled request reaches nobody.
        answers:
          answer && !sent.isDoubled
            ? [...world.answers, { ...answer, ...overtakenAs(sent) }]
            : world.answers,
      },
    };
  }

  function* steps(world: World): Generator<() => Step> {
    const { now, held, requests, answers, key, askedAt } = world;
    if (requests.length < MAX_ON_THE_WAY) {
      const idempotencyKey = client === 'app' && key !== undefined ? key : `key ${world.sent}`;
      const { triedAt } = world;
      const isRepeated = triedAt !== undefined && now <= triedAt + limits.grace;
      const sent: Sent = { ...held, at: isRepeated ? triedAt : now, idempotencyKey };
      yield () => ({
        name: `the owner sends ${held.gen}`,
        world: {
          ...world,
          requests: [...requests, sent],
          key: idempotencyKey,
          sent: world.sent + 1,
          askedAt: askedAt ?? now,
          triedAt: sent.at,
        },
      });
    }
    const isQuiet = requests.length + answers.length === 0 && askedAt === undefined;
    if (isQuiet)
      yield () => {
        const idempotencyKey = `key ${world.sent}`;
        const asked = {
          ...world,
          sent: world.sent + 1,
          requests: [{ ...held, at: now, idempotencyKey }],
        };
        const { name, world: after } = arrival(asked, 0, false);
        const answer = after.answers[0] ?? held;
        return { name: `${name}, and is answered`, world: { ...after, answers: [], held: answer } };
      };
    const mayChangePassword = isQuiet && !world.hasNewPassword && !isAlone;
    if (mayChangePassword && isLive(world.row.sessions[0] as Session, now))
      yield () => {
        const changed = withOtherSessionsEndedAndTokensRevoked(world.row, sid, now);
        return {
          name: 'the owner changes the password',
          world: {
            ...written(world, changed),
            hasNewPassword: true,
            held: { ...held, ver: changed.token_version },
          },
        };
      };
    for (const [index, sent] of requests.entries()) {
      yield () => arrival(world, index, false);
      if (!sent.isDoubled) yield () => arrival(world, index, true);
      yield () => ({
        name: `request ${sent.gen} is lost`,
        world: { ...world, requests: requests.toSpliced(index, 1) },
      });
    }
    for (const [index, answer] of (isReordered ? answers : answers.slice(0, 1)).entries()) {
      const rest = answers.toSpliced(index, 1);
      const isBehindUs = requests.length === 0 && rest.length === 0;
      // An app knows which request is answered. An answer to an earlier one is as good as lost.
      const withAnswer = (next: Token): World => ({
        ...world,
        requests: overtaken(requests),
        answers: overtaken(rest),
        held: { gen: next.gen, ver: next.ver },
        key: undefined,
        triedAt: undefined,
        hasLostKey: !isBehindUs && world.hasLostKey,
        askedAt: isBehindUs ? undefined : askedAt,
      });
      if (answer.isOvertaken)
        yield () => {
          const idempotencyKey = `key ${world.sent}`;
          const asked = { ...withAnswer(answer), sent: world.sent + 1 };
          const again = present(asked, { ...asked.held, at: now, idempotencyKey });
          const name = `answer ${answer.gen} comes, and its tab refreshes again: ${again.outcome}`;
          if (again.answer === undefined) throw new Broken(`${name}: the owner is signed out`);
          return { name, world: { ...again.world, held: again.answer } };
        };
      else if (client === 'tabs' || answer.gen > held.gen)
        yield () => ({ name: `answer ${answer.gen} comes`, world: withAnswer(answer) });
      yield () => ({ name: `answer ${answer.gen} is lost`, world: { ...world, answers: rest } });
    }
    if (
      key !== undefined &&
      client === 'app' &&
      askedAt !== undefined &&
      now <= askedAt + limits.grace
    )
      yield () => ({
        name: 'the app loses its key',
        world: { ...world, key: undefined, hasLostKey: true },
      });
    // Requests and answers arrive within the grace, counted from the first try with the token, or never. A client
    // without a key has an answer by then; one that proves the key of its session may come back at any time.
    const waiting = requests.map(({ at }) => at);
    const mustHurry = !isBound && (client === 'tabs' || world.hasLostKey);
    if (mustHurry && askedAt !== undefined) waiting.push(askedAt);
    const since = world.triedAt ?? askedAt;
    if (answers.length > 0 && since !== undefined) waiting.push(since);
    if (waiting.every((since) => now + SHORT <= since + limits.grace))
      yield () => ({ name: '10 s pass', world: { ...world, now: now + SHORT } });
    if (waiting.length + answers.length === 0)
      yield () => ({ name: '30 s and 1 ms pass', world: { ...world, now: now + LONG } });
    if (isAlone) return;
    if (!world.hasFailedOver)
      for (const [index, row] of world.older.entries())
        yield () => ({
          name: `the database loses ${index + 1} write(s)`,
          world: {
            ...world,
            row,
            older: [],
            hasFailedOver: true,
            thiefUsedAt: undefined,
            ownerSince: undefined,
            isDetected: false,
          },
        });
    const { thief } = world;
    if (thief === undefined)
      yield () => ({ name: `a thief copies ${held.gen}`, world: { ...world, thief: held } });
    else
      yield () => {
        const {
          outcome,
          answer,
          world: after,
        } = present(world, { ...thief, at: now, idempotencyKey: 'of the thief' }, {});
        const name = `the thief sends ${thief.gen}: ${outcome}`;
        if (isBound && answer) throw new Broken(`${name}: the thief needs no key`);
        const isOut =
          world.isDetected ||
          (world.ownerSince !== undefined && now > world.ownerSince + limits.grace);
        if (answer && isOut) throw new Broken(`${name}: the thief goes on`);
        return {
          name,
          world: answer
            ? {
                ...after,
                hasThiefActed: true,
                thief: answer,
                thiefUsedAt: now,
                ownerSince: undefined,
              }
            : {
                ...after,
                // Without the key no thief is an excuse to sign the owner out.
                hasThiefActed: !isBound,
                isDetected: world.isDetected || outcome === 'reused',
              },
        };
      };
  }

  const first: World = {
    sent: 0,
    now: NOW,
    row: user,
    older: [],
    hasFailedOver: false,
    hasNewPassword: false,
    held: { gen: 0, ver: 0 },
    key: undefined,
    askedAt: undefined,
    triedAt: undefined,
    requests: [],
    answers: [],
    thief: undefined,
    hasThiefActed: false,
    thiefUsedAt: undefined,
    ownerSince: undefined,
    isDetected: false,
    hasLostKey: false,
  };
  const seen = new Set([keyOf(first)]);
  let layer: Place[] = [{ name: 'the owner has signed in', world: first, from: undefined }];
  for (let step = 0; step < depth; step += 1) {
    const next: typeof layer = [];
    for (const place of layer) {
      for (const take of steps(place.world)) {
        let taken: Step;
        try {
          taken = take();
        } catch (error) {
          if (!(error instanceof Broken)) throw error;
          return { states: seen.size, counterexample: [...wayTo(place), error.message] };
        }
        // Where the search ends, nobody asks whether it has been here.
        if (step === depth - 1) continue;
        const key = keyOf(taken.world);
        if (seen.has(key)) continue;
        seen.add(key);
        next.push({ ...taken, from: place });
      }
    }
    layer = next;
  }
  return { states: seen.size, counterexample: undefined };
}
