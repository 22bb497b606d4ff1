/** Milliseconds. */
const WINDOW = 3_600_000;
/** As long as a code or a reset link lives: then nothing in the mailbox opens anything any more. */
const LIFE = 600_000;

/** Letters within an hour that nobody has asked for. */
const MOST_UNASKED = 3;
/** Letters within an hour that were asked for from one network, and from all. */
const MOST_PER_NETWORK = 3;
const MOST_PER_MAILBOX = 12;
/** After this many, only networks that have not asked yet get one. */
const SHARED = 6;

/** The letters of one kind to one mailbox within an hour. Milliseconds. */
export interface Letters {
  since: number;
  last: number;
  /** Of each letter, the network that asked for it. */
  networks: (string | undefined)[];
}

/** A clock that was set back must not make anyone wait longer. */
const elapsed = (since: number, now: number): number => Math.abs(now - since);

const current = (letters: Letters | undefined, now: number): Letters | undefined =>
  letters && elapsed(letters.since, now) < WINDOW ? letters : undefined;

/**
 * Whether one more letter may go. `network`: who asks for it; of letters that nobody asks for, undefined. A letter that is asked
 * for when the last one has expired always goes: otherwise a stranger with many networks could keep an owner out.
 */
export function mayGo(
  before: Letters | undefined,
  network: string | undefined,
  now: number,
): boolean {
  const letters = current(before, now);
  if (letters === undefined) return true;
  const { networks, last } = letters;
  if (network === undefined) return networks.length < MOST_UNASKED;
  if (elapsed(last, now) >= LIFE) return true;
  const own = networks.filter((other) => other === network).length;
  return own < MOST_PER_NETWORK && networks.length < (own === 0 ? MOST_PER_MAILBOX : SHARED);
}

/** With a letter that goes `now`. */
export function withLetter(
  before: Letters | undefined,
  network: string | undefined,
  now: number,
): Letters {
  const { since, networks } = current(before, now) ?? { since: now, networks: [] };
  return { since, last: now, networks: [...networks, network] };
}
