import { DEVICE_LIFE } from '../../actions/tokens/token-pair.ts';
import { type Config, readConfig } from '../../config.ts';
import { type Keys, parseKeys } from '../../parts/keys/key-changes.ts';
import type { KeyUse, TokenLives } from '../../parts/keys/key-dates.ts';
import type { KeySet } from '../../parts/keys/key-set.ts';
import { KeySetSource } from '../../parts/keys/key-set-source.ts';
import { changeKeyFile } from '../../parts/storage/key-file-change.ts';
import { ACCESS_LIFE } from '../../schemas/claims.ts';
import { isInlineKeySet } from '../../schemas/jwk.ts';
import { EX_CONFIG } from '../../start-faults.ts';
import { CommandFault } from '../command-fault.ts';
import { EX_DATAERR } from '../exit-codes.ts';

/** The longest lives of what the keys sign. A device token may outlive every session. */
export const livesOf = ({ SESSION_MAX }: Config): TokenLives => ({
  signing: ACCESS_LIFE,
  masters: Math.max(SESSION_MAX / 1_000, DEVICE_LIFE),
});

/** The command is refused, and nothing was written. */
export const refused = (message: string): CommandFault => new CommandFault(message, EX_DATAERR);

/** The key set of SIGNING_KEYS. Throws KeySetError if the service would refuse it. */
export const keySetOf = ({ SIGNING_KEYS }: Config): KeySet =>
  new KeySetSource(SIGNING_KEYS, () => {}).readAgain();

/**
 * Changes the file of SIGNING_KEYS, and returns the new keys. `decide` returns the same object if nothing changes. Refuses
 * a key set that is given inline, as a command cannot change a variable.
 */
export function changeKeys(
  env: NodeJS.ProcessEnv,
  decide: (keys: Keys, lives: TokenLives) => Keys,
): Keys {
  const config = readConfig(env);
  if (isInlineKeySet(config.SIGNING_KEYS))
    throw new CommandFault(
      'SIGNING_KEYS contains the key set itself. Write it to a file, and give the name of the file.',
      EX_CONFIG,
    );
  // Refuses a file that the service would refuse, in the same words.
  keySetOf(config);
  let after: Keys | undefined;
  changeKeyFile(config.SIGNING_KEYS, (text) => {
    after = decide(parseKeys(text), livesOf(config));
    return after.jwks;
  });
  return after as Keys;
}

/** Which part of the key set has this key. */
export const useOf = ({ set }: Keys, kid: string): KeyUse | undefined =>
  (['signing', 'masters'] as const).find((use) => set[use].some((key) => key.kid === kid));
