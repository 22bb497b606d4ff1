/**
 * How a command line begins, so that its user can copy it from a help text: with an npm script, with npx, or with the
 * command itself. `env` has what npm tells its scripts. `name`: the command; without it, what comes before its name.
 */
export function calledAs(env: NodeJS.ProcessEnv, name?: string): string {
  const { npm_lifecycle_event: script, npm_command: npm } = env;
  if (script === name && name !== undefined) return `npm run ${name} --`;
  const start = script === 'latchkey' ? 'npm run latchkey --' : 'latchkey';
  const words = [npm === 'exec' ? `npx --no ${start}` : start, name];
  return words.filter((word) => word !== undefined).join(' ');
}
