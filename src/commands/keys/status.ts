import { readConfig } from '../../config.ts';
import { type KeySet, keyState } from '../../parts/keys/key-set.ts';
import { KeySetSource } from '../../parts/keys/key-set-source.ts';
import { columns } from '../columns.ts';
import type { KeysCommand } from './keys-command.ts';

const HEADING = ['kid', 'algorithm', 'for', 'state', 'since', 'until'];

/** `2026-11-26 06:53:14Z`; `-` for a time that the key does not have. */
const utc = (milliseconds: number) =>
  milliseconds === 0 || milliseconds === Infinity
    ? '-'
    : new Date(milliseconds).toISOString().replace('T', ' ').replace('.000', '');

/** A line for each key, as it is at `now` (ms). Contains no key material. */
export function statusTable({ signing, masters }: KeySet, now: number): string {
  const rows = [
    ...signing.map((key) => ({ key, name: key.alg, use: 'access tokens', all: signing })),
    ...masters.map((key) => ({ key, name: 'HKDF', use: 'own tokens', all: masters })),
  ];
  return columns([
    HEADING,
    ...rows.map(({ key, name, use, all }) => {
      const { kid, notBefore, notAfter } = key;
      return [kid, name, use, keyState(key, all, now), utc(notBefore), utc(notAfter)];
    }),
  ]);
}

export const status: KeysCommand = {
  summary: 'show each key with its state and its times',
  details: `Shows each key of SIGNING_KEYS, without secrets. Times are in UTC. The states:

${columns([
  ['published', 'signs later; verifiers can fetch it already'],
  ['signing', 'signs new tokens, and verifies'],
  ['verifying', 'verifies the tokens that it signed before'],
  ['gone', 'verifies nothing any more'],
])}
A master secret (for own tokens) that is gone still decrypts second factors.`,
  run({ env, now, stdout }) {
    const source = new KeySetSource(readConfig(env).SIGNING_KEYS, () => {});
    stdout.write(statusTable(source.readAgain(), now));
    return 0;
  },
};
