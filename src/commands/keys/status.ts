import { readConfig } from '../../config.ts';
import { endOf, type KeyUse, replacedAt, type TokenLives } from '../../parts/keys/key-dates.ts';
import { type KeySet, keyState, type Lifetime } from '../../parts/keys/key-set.ts';
import { columns } from '../columns.ts';
import { keySetOf, livesOf } from './key-set-file.ts';
import type { KeysCommand } from './keys-command.ts';
import { utc } from './utc.ts';

const HEADING = ['kid', 'algorithm', 'for', 'state', 'since', 'until', 'next'];

/** What happens to the key next, and when. `life`: of its tokens (seconds). */
function nextOf(key: Lifetime, all: Lifetime[], { life, now }: { life: number; now: number }) {
  const [replaced, end] = [replacedAt(key, all), endOf(key, all, life)];
  switch (keyState(key, all, now)) {
    case 'published':
      return `signs at ${utc(key.notBefore)}`;
    case 'signing':
      if (replaced < key.notAfter) return `only verifies from ${utc(replaced)} on`;
      return key.notAfter === Infinity ? 'signs until rotate' : `nothing signs from ${utc(end)} on`;
    case 'verifying':
      return end <= now ? 'retire removes it' : `gone at ${utc(end)}`;
    case 'gone':
      return 'retire removes it';
  }
}

/** A line for each key, as it is at `now` (ms). Contains no key material. */
export function statusTable(set: KeySet, lives: TokenLives, now: number): string {
  const lines = (use: KeyUse, tokens: string) =>
    set[use].map((key) => {
      const { kid, notBefore, notAfter } = key;
      const times = [
        utc(notBefore),
        utc(notAfter),
        nextOf(key, set[use], { life: lives[use], now }),
      ];
      const alg = 'alg' in key ? key.alg : 'HKDF';
      return [kid, alg, tokens, keyState(key, set[use], now), ...times];
    });
  return columns([
    HEADING,
    ...lines('signing', 'access tokens'),
    ...lines('masters', 'own tokens'),
  ]);
}

export const status: KeysCommand = {
  summary: 'show each key with its state, its times, and what happens next',
  details: `Shows each key of SIGNING_KEYS, without secrets. Times are in UTC. The states:

${columns([
  ['published', 'signs later; verifiers can fetch it already'],
  ['signing', 'signs new tokens, and verifies'],
  ['verifying', 'verifies the tokens that it signed before'],
  ['gone', 'verifies nothing any more'],
])}
A master secret (for own tokens) that is gone still decrypts second factors.`,
  run({ env, now, stdout }) {
    const config = readConfig(env);
    stdout.write(statusTable(keySetOf(config), livesOf(config), now));
    return 0;
  },
};
