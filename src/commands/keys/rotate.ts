import { type Keys, withEnds, withNextKey } from '../../parts/keys/key-changes.ts';
import { type KeyUse, type TokenLives, waitingKey } from '../../parts/keys/key-dates.ts';
import { type Key, keyInUse } from '../../parts/keys/key-set.ts';
import { UsageError } from '../usage-error.ts';
import { algorithmOf } from './algorithm.ts';
import { calendarOf, nameOf, notesOf } from './announce.ts';
import { changeKeys, refused } from './key-set-file.ts';
import type { Invocation, KeysCommand } from './keys-command.ts';
import { utc } from './utc.ts';

/** A key that is waiting is used. If that one was rotated to before, there is nothing to do. */
function rotated(
  before: Keys,
  lives: TokenLives,
  { use, alg, now }: { use: KeyUse; alg: unknown; now: number },
): Keys {
  const waiting = waitingKey<Key>(before.set[use], now);
  if (waiting !== undefined) {
    const ended = withEnds(before, lives, now);
    if (ended === before)
      throw refused(
        `${nameOf(waiting)} replaces the key in use already, at ${utc(waiting.notBefore)}.`,
      );
    if (alg !== undefined)
      throw new UsageError(
        `${nameOf(waiting)} is the next key. Leave out --alg, or drop it first.`,
      );
    return ended;
  }
  const next = algorithmOf(alg ?? keyInUse(before.set.signing, now)?.alg ?? 'ES256');
  return withEnds(withNextKey(before, { use, alg: next, now }), lives, now);
}

function chosenUse({ options }: Invocation): KeyUse {
  if (options['master'] !== true) return 'signing';
  if (options['alg'] !== undefined) throw new UsageError('--alg is for signing keys');
  return 'masters';
}

export const rotate: KeysCommand = {
  options: {
    alg: { value: 'ALG', meaning: 'algorithm of the new key (as the key that signs now)' },
    master: { meaning: 'replace the master secret, not the signing key' },
  },
  summary: 'replace the signing key, or with --master the master secret',
  details: `Adds the next key to the file of SIGNING_KEYS, or takes the one that new has added. It signs in
ten minutes. The key before it gets the date at which its last token has expired: a signing key
16 minutes later, a master secret 180 days later (or SESSION_MAX, if that is longer).
Nobody is signed out.`,
  run(invocation) {
    const { options, env, now, stdout } = invocation;
    const use = chosenUse(invocation);
    const keys = changeKeys(env, (before, lives) =>
      rotated(before, lives, { use, alg: options['alg'], now }),
    );
    stdout.write(calendarOf(keys, use, now) + notesOf(keys, use, now));
    return 0;
  },
};
