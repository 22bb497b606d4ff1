import { type Machine, mistakesOf } from './config/checks.ts';
import { type Config, withDerivedDefaults } from './config/defaults.ts';
import { Environment } from './config/environment.ts';

export type { Config } from './config/defaults.ts';

/** Every mistake in the environment, one line each. Names the variables, never their values. */
export class ConfigError extends Error {
  constructor(mistakes: string[]) {
    super(
      `The configuration has ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}:\n${mistakes.map((mistake) => `  ${mistake}`).join('\n')}`,
    );
  }
}

/** Has a line end of the file it was copied from, or is the file itself. An inline key set may have several lines. */
const hasControlCharacter = ([name, value = '']: [string, string | undefined]): boolean =>
  name in Environment.shape && name !== 'SIGNING_KEYS' && /\p{Cc}/u.test(value);

/** Reads the environment. Refuses it with ConfigError, which lists every mistake. An empty variable counts as unset. */
export function readConfig(env: Record<string, string | undefined>, machine: Machine = {}): Config {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const spoiled = Object.entries(set).filter(hasControlCharacter);
  for (const [name] of spoiled) delete set[name];
  const parsed = Environment.safeParse(set);
  if (!parsed.success || spoiled.length > 0) {
    throw new ConfigError([
      ...spoiled.map(([name]) => `${name} must not contain a line break or a control character`),
      ...(parsed.error?.issues ?? []).map(
        (issue) => `${issue.path[0]?.toString()} ${issue.message}`,
      ),
    ]);
  }
  const config = withDerivedDefaults(parsed.data);
  const mistakes = mistakesOf(config, machine);
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return Object.freeze(config);
}
