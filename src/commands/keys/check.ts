import { readFileSync, statSync } from 'node:fs';
import { readConfig } from '../../config.ts';
import { parseKeys } from '../../parts/keys/key-changes.ts';
import { problemsOf } from '../../parts/keys/key-problems.ts';
import { type Key, type KeySet, keyInUse } from '../../parts/keys/key-set.ts';
import { exposedMode } from '../../parts/storage/key-file.ts';
import { isInlineKeySet } from '../../schemas/jwk.ts';
import { EX_CONFIG } from '../../start-faults.ts';
import { EX_DATAERR } from '../exit-codes.ts';
import { isSeenByGit } from './git.ts';
import { keySetOf, livesOf } from './key-set-file.ts';
import type { KeysCommand } from './keys-command.ts';

/** What is wrong with the file itself, one sentence each. */
function problemsOfFile(path: string): string[] {
  const mode = exposedMode(path);
  return [
    ...(mode === undefined ? [] : [`other users can open ${path} (mode ${mode}): run chmod 600`]),
    ...(isSeenByGit(path) ? [`git would commit ${path}: move it out of the checkout`] : []),
  ];
}

const isUsable = ({ signing, masters }: KeySet, now: number): boolean =>
  keyInUse<Key>(signing, now) !== undefined && keyInUse(masters, now) !== undefined;

export const check: KeysCommand = {
  summary: 'look for problems of the key set and its file',
  details: `Looks for what will go wrong: a time at which no key signs, a key that ends before its last
token has expired, a key that signs before verifiers have it, a file that others can open or
that git would commit. Exits with 0 if there is nothing, with 65 if the service takes the key
set all the same, and with 78 if it does not (a weak key, the same key twice, none in use).`,
  run({ env, now, stdout, stderr }) {
    const config = readConfig(env);
    const { SIGNING_KEYS: place } = config;
    const set = keySetOf(config);
    const isInline = isInlineKeySet(place);
    const keys = parseKeys(isInline ? place : readFileSync(place, 'utf8'));
    const written = isInline ? 0 : statSync(place).mtimeMs;
    const problems = [
      ...problemsOf(keys, livesOf(config), { now, written }),
      ...(isInline ? [] : problemsOfFile(place)),
    ];
    for (const problem of problems) stderr.write(`${problem}\n`);
    if (problems.length === 0) stdout.write('No problem found.\n');
    if (!isUsable(set, now)) return EX_CONFIG;
    return problems.length === 0 ? 0 : EX_DATAERR;
  },
};
