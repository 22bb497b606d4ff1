import { variables } from '../config/environment.ts';
import { asksForHelp } from './asks-for-help.ts';
import { columns } from './columns.ts';
import { UsageError } from './usage-error.ts';

const HELP = `

Starts the service. Its settings are environment variables:

${columns(variables.map(({ name, fallback, meaning }) => [name, fallback.replaceAll('`', ''), meaning]))}`;

/** What `npm start` runs. */
export async function run(words: string[], called: string): Promise<number | undefined> {
  if (asksForHelp(words)) {
    process.stdout.write(`${called}${HELP}`);
    return 0;
  }
  if (words.length > 0)
    throw new UsageError(
      `${called} takes no arguments: its settings are environment variables.\nSee ${called} --help`,
    );
  await import('../main.ts');
  return undefined;
}
