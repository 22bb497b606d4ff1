import { statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { asksForHelp } from './asks-for-help.ts';
import { buildFilter } from './breached/build-filter.ts';
import { faultOf } from './fault-of.ts';
import { progressBar } from './progress-bar.ts';
import { UsageError } from './usage-error.ts';

const helpOf = (called: string) => `${called} build --from LIST --to FILE

Makes FILE, for BREACHED_PASSWORDS, of a list of SHA-1 hashes: lines of HASH or
HASH:COUNT, in any order, as Have I Been Pwned publishes them. FILE has 4 bytes
for each hash; while it is made, 6 more are needed beside it. It finds every hash
of the list, and one in a million others. Never overwrites a file.
`;

function optionsOf(words: string[], see: string): { from: string; to: string } {
  try {
    const { positionals, values } = parseArgs({
      args: words,
      allowPositionals: true,
      options: { from: { type: 'string' }, to: { type: 'string' } },
    });
    const { from, to } = values;
    if (positionals.join() === 'build' && from && to) return { from, to };
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${see}`);
  }
  throw new UsageError(`The command line needs build, --from and --to\n${see}`);
}

/** Makes the filter file of breached passwords. */
export async function run(words: string[], called: string): Promise<number> {
  if (asksForHelp(words)) {
    process.stdout.write(helpOf(called));
    return 0;
  }
  const { from, to } = optionsOf(words, `See ${called} --help`);
  const bar = progressBar(process.stderr);
  const count = await buildFilter({ from, to, progress: bar.show })
    .catch((error) => {
      throw faultOf(error);
    })
    .finally(bar.stop);
  process.stdout.write(`${to}: ${count} hashes, ${statSync(to).size} bytes\n`);
  return 0;
}
