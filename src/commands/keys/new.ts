import { withNextKey } from '../../parts/keys/key-changes.ts';
import { waitingKey } from '../../parts/keys/key-dates.ts';
import { keyInUse } from '../../parts/keys/key-set.ts';
import { algorithmOf } from './algorithm.ts';
import { calendarOf, nameOf, notesOf } from './announce.ts';
import { changeKeys, refused } from './key-set-file.ts';
import type { KeysCommand } from './keys-command.ts';
import { utc } from './utc.ts';

export const newKey: KeysCommand = {
  options: {
    alg: { value: 'ALG', meaning: 'algorithm of the new key (as the key that signs now)' },
  },
  summary: 'add the next signing key',
  details: `Adds a signing key to the file of SIGNING_KEYS. It signs in ten minutes, when no verifier has
an older key set any more. The key before it goes on verifying, and has no end: see rotate.
Refused if a key is waiting already.`,
  run({ options, env, now, stdout }) {
    const keys = changeKeys(env, (before) => {
      const waiting = waitingKey(before.set.signing, now);
      if (waiting !== undefined)
        throw refused(
          `${nameOf(waiting)} is waiting already. It signs at ${utc(waiting.notBefore)}.`,
        );
      const alg = algorithmOf(options['alg'] ?? keyInUse(before.set.signing, now)?.alg ?? 'ES256');
      return withNextKey(before, { use: 'signing', alg, now });
    });
    stdout.write(calendarOf(keys, 'signing', now) + notesOf(keys, 'signing', now));
    return 0;
  },
};
