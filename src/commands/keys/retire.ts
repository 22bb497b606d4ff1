import { readConfig } from '../../config.ts';
import { pastKeys, withoutKeys } from '../../parts/keys/key-changes.ts';
import { endOf } from '../../parts/keys/key-dates.ts';
import { oldestKey } from '../../parts/keys/key-set.ts';
import { EX_DATAERR } from '../exit-codes.ts';
import { withContext } from '../with-context.ts';
import { changeKeys, keySetOf, livesOf } from './key-set-file.ts';
import type { Invocation, KeysCommand } from './keys-command.ts';
import { moveSecrets } from './moved-secrets.ts';
import { utc } from './utc.ts';

/** The master secrets that no row needs any more. */
async function unneeded(
  masters: string[],
  { env, now, stdout, stderr }: Invocation,
): Promise<string[]> {
  if (masters.length === 0) return [];
  const { moved, unreadable } = await withContext(
    readConfig(env),
    (context) => moveSecrets(context, masters),
    () => now,
  );
  if (moved > 0)
    stdout.write(`Second factors of ${moved} users are encrypted with the secret in use.\n`);
  if (unreadable === 0) return masters;
  stderr.write(
    `${unreadable} rows cannot be read, and may need a master secret that is gone: none is removed.\n`,
  );
  return [];
}

export const retire: KeysCommand = {
  summary: 'remove the keys that are gone',
  details: `Removes from the file of SIGNING_KEYS each key whose last token has expired. Before a master
secret is removed, the TOTP secrets that it encrypts are encrypted again: that reads every row
of DATABASE_URL once. Nobody is signed out. Safe to run at any time, and from cron.`,
  async run(invocation) {
    const { env, now, stdout } = invocation;
    const config = readConfig(env);
    const lives = livesOf(config);
    const before = keySetOf(config);
    const past = pastKeys(before, lives, now);
    const kids = [...past.signing, ...(await unneeded(past.masters, invocation))];
    if (kids.length > 0) changeKeys(env, (keys) => withoutKeys(keys, kids));
    for (const kid of kids) stdout.write(`${kid} is removed.\n`);
    if (kids.some((kid) => kid === oldestKey(before.masters, now)?.kid))
      stdout.write(
        'This master secret also chose the rows in which guesses at unknown addresses are counted: those counts begin anew.\n',
      );
    const ends = (['signing', 'masters'] as const)
      .flatMap((use) => before[use].map((key) => endOf(key, before[use], lives[use])))
      .filter((end) => end > now && end < Infinity);
    if (kids.length === 0) stdout.write('No key is past its time.\n');
    if (ends.length > 0) stdout.write(`The next one is at ${utc(Math.min(...ends))}.\n`);
    return past.masters.every((kid) => kids.includes(kid)) ? 0 : EX_DATAERR;
  },
};
