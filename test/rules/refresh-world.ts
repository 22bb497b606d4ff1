import { fingerprint } from '../../src/rules/fingerprint.ts';
import type { Presented } from '../../src/rules/rotation.ts';
import type { User } from '../../src/schemas/user.ts';
import { limits, SECOND } from './samples.ts';

export type Token = Pick<Presented, 'gen' | 'ver'>;

export interface Sent extends Token {
  /** The Idempotency-Key. */
  idempotencyKey: string;
  /** When it was sent, or, if it repeats another within the grace, when that one was. */
  at: number;
  /** It has arrived once, and may arrive again. */
  isDoubled?: true;
  /** Another answer came since it was sent. Told apart only where a tab then refreshes again. */
  isOvertaken?: boolean;
}

export type Answer = Token & Pick<Sent, 'isOvertaken'>;

/**
 * One user with one session, and all who can refresh it. `tabs` share a cookie and send a new key with every
 * request, so they repeat a request whose answer was lost within the grace. An `app` keeps the key with the token, so
 * it may come back at any time; if it loses the key, it must come back within the grace, as tabs must.
 */
export interface World {
  now: number;
  row: User;
  /** The rows before the last writes, newest first: a lagging standby may have one of them. */
  older: User[];
  hasFailedOver: boolean;
  hasNewPassword: boolean;
  /** The token of the owner's client. */
  held: Token;
  /** The key that an app keeps until it has an answer. */
  key: string | undefined;
  /** The app has lost the key of a request that is still without an answer. */
  hasLostKey: boolean;
  /** The number of requests sent, from which new keys are made. */
  sent: number;
  /** When the first request still without an answer was sent. */
  askedAt: number | undefined;
  /** When the owner first sent the token that is held, or first sent it again after the grace. */
  triedAt: number | undefined;
  requests: Sent[];
  answers: Answer[];
  thief: Token | undefined;
  /** Since when the session may end, for the owner too. */
  hasThiefActed: boolean;
  thiefUsedAt: number | undefined;
  /** Since when the owner has rotated after the thief, later than the grace. */
  ownerSince: number | undefined;
  /** The server has noticed the theft, and must have ended the session. */
  isDetected: boolean;
}

/** The keys are few, and each is asked for in every world. */
const fingerprints = new Map<string, string>();

function fingerprintOf(key: string): string {
  const known = fingerprints.get(key) ?? fingerprint(key);
  fingerprints.set(key, known);
  return known;
}

/** Equal for worlds in which the same can happen: times count by age, and only up to the grace. */
export function keyOf(world: World): string {
  // Only which keys are equal matters.
  const names = new Map<string, number>();
  const keyed = (hash: string) => {
    if (!names.has(hash)) names.set(hash, names.size);
    return names.get(hash);
  };
  const age = (instant: number | undefined) =>
    instant === undefined ? -1 : Math.min(world.now - instant, limits.grace + 1) / SECOND;
  const rowKey = ({ sessions: [own], token_version }: User) =>
    own && [
      own.gen,
      token_version,
      age(own.rotated_at),
      own.rotations?.map(age),
      own.attempt && keyed(own.attempt),
      age(own.retried_at),
      own.ended_at === undefined,
    ];
  const {
    row,
    older,
    hasFailedOver,
    hasNewPassword,
    held,
    key,
    askedAt,
    requests,
    answers,
    thief,
    hasThiefActed,
  } = world;
  return JSON.stringify([
    rowKey(row),
    older.map(rowKey),
    hasFailedOver,
    hasNewPassword,
    held,
    key && keyed(fingerprintOf(key)),
    age(askedAt),
    requests.map((sent) => [
      sent.gen,
      sent.ver,
      keyed(fingerprintOf(sent.idempotencyKey)),
      sent.isDoubled,
      sent.isOvertaken,
      age(sent.at),
    ]),
    answers,
    thief,
    hasThiefActed,
    age(world.thiefUsedAt),
    age(world.ownerSince),
    world.isDetected,
    world.hasLostKey,
    age(world.triedAt),
  ]);
}
