import type { Random } from './random.ts';

/** What becomes of a request and its answer. Milliseconds. */
export interface Fate {
  /** When it arrives: never, once or twice. */
  arrivals: { after: number; node: number }[];
  /** How long the answer takes, or undefined if it is lost. */
  answer: number | undefined;
}

const delay = (random: Random): number =>
  random.chance(0.05) ? random.between(1_000, 8_000) : random.between(20, 400);

/** Loses one message in twelve, doubles one request in twenty, and delays one message in twenty by seconds. */
export function fateOf(random: Random): Fate {
  const after = delay(random);
  const arrivals = [{ after, node: random.between(0, 1) }];
  // At the same instant on the other node, or later.
  const again = random.chance(0.5) ? after : after + delay(random);
  if (random.chance(0.05)) arrivals.push({ after: again, node: random.between(0, 1) });
  if (random.chance(0.08)) arrivals.shift();
  const answer = delay(random);
  return { arrivals, answer: random.chance(0.08) ? undefined : answer };
}

/** A network that works again. */
export const goodFate = (random: Random): Fate => ({
  arrivals: [{ after: random.between(20, 400), node: random.between(0, 1) }],
  answer: random.between(20, 400),
});
