import { newMasterSecret, newSigningKey } from '../../parts/keys/new-keys.ts';
import { createKeyFile } from '../../parts/storage/key-file.ts';
import { isFileName } from '../../schemas/file-name.ts';
import { notCreated } from '../command-fault.ts';
import { UsageError } from '../usage-error.ts';
import { algorithmOf } from './algorithm.ts';
import { isSeenByGit } from './git.ts';
import type { KeysCommand } from './keys-command.ts';

export const init: KeysCommand = {
  argument: 'PATH',
  options: {
    alg: {
      value: 'ALG',
      meaning: 'algorithm of the signing key (ES256, unless you say otherwise)',
    },
  },
  summary: 'create the key set of a production',
  details: `Writes a signing key and a master secret to a new file that only its owner can read
(mode 0600), for SIGNING_KEYS. Never overwrites a file. Warns if git would commit it.`,
  run({ argument: path, options, now, stdout, stderr }) {
    // As SIGNING_KEYS: a key in the place of its path must not become the name of a file.
    if (!isFileName(path) || !path.endsWith('.json'))
      throw new UsageError('PATH must be the name of a file that ends in .json');
    const nbf = Math.floor(now / 1_000);
    const key = newSigningKey(algorithmOf(options['alg'] ?? 'ES256'), nbf);
    try {
      createKeyFile(path, [key, newMasterSecret(nbf)]);
    } catch (error) {
      throw notCreated(path, error as NodeJS.ErrnoException);
    }
    stdout.write(`${path}: ${key.alg} ${key.kid}, and a master secret\n`);
    if (isSeenByGit(path))
      stderr.write(
        `${path} is in a git checkout that does not ignore it. Move it elsewhere, so that nobody commits it.\n`,
      );
    return 0;
  },
};
