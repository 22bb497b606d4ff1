import type { Keys } from '../../parts/keys/key-changes.ts';
import { type KeyUse, replacedAt, waitingKey } from '../../parts/keys/key-dates.ts';
import { keyInUse, type Lifetime } from '../../parts/keys/key-set.ts';
import { columns } from '../columns.ts';
import { utc } from './utc.ts';

export const nameOf = (key: Lifetime): string =>
  'alg' in key ? `${key.alg} ${key.kid}` : `master secret ${key.kid}`;

/** What the newest key of this use does, and what happens to the one before it, in the order of the times. */
export function calendarOf({ set }: Keys, use: KeyUse, now: number): string {
  const all: Lifetime[] = set[use];
  const next = (waitingKey(all, now) ?? keyInUse(all, now)) as Lifetime;
  const before = all.filter((key) => replacedAt(key, all) === next.notBefore && now < key.notAfter);
  return columns([
    [utc(next.notBefore), `${nameOf(next)} signs`],
    ...before.map((key) => [
      utc(key.notAfter),
      key.notAfter === Infinity
        ? `${nameOf(key)} verifies; \`rotate\` or \`retire\` ends it`
        : `${nameOf(key)} is gone, as its last token has expired; \`retire\` removes it`,
    ]),
  ]);
}

/** What the operator must do before the waiting key signs. */
export function notesOf({ set }: Keys, use: KeyUse, now: number): string {
  const [signing, next] = [keyInUse(set.signing, now), waitingKey(set.signing, now)];
  const isOther = use === 'signing' && signing && next && signing.alg !== next.alg;
  return `${
    isOther ? `Verifiers that accept only ${signing.alg} will refuse its tokens.\n` : ''
  }If a node has a copy of the file, replace the copy before then. Nodes read a changed file within a second.\n`;
}
