import { type Check, type State, skipped, type Verdict, type World, wrong } from './verdict.ts';

export interface Finding extends Verdict {
  group: string;
  check: string;
}

/** Why no answer came, such as `ECONNREFUSED`. */
export const faultOf = (error: unknown): string => String((error as NodeJS.ErrnoException).code);

/** Without an answer, or with one that cannot be read. Errors of Node have a code; anything else is a bug, and is thrown. */
const isConnectionFault = (error: unknown): boolean =>
  typeof (error as NodeJS.ErrnoException).code === 'string';

async function verdict(check: Check, world: World): Promise<Verdict> {
  try {
    return await check.run(world);
  } catch (error) {
    if (!isConnectionFault(error)) throw error;
    return wrong(
      `no answer: ${faultOf(error)}`,
      'The connection ended or nothing came for 10 seconds. The log of the proxy says why.',
    );
  }
}

/** Runs one check after the other, and hands on each finding. */
export async function runChecks(
  checks: Check[],
  world: World,
  found: (finding: Finding) => void,
): Promise<Finding[]> {
  const states = new Map<string, State>();
  const findings: Finding[] = [];
  for (const check of checks) {
    const missing = check.needs?.find((name) => !/^(ok|warning)$/.test(String(states.get(name))));
    const said = missing === undefined ? await verdict(check, world) : skipped(`needs ${missing}`);
    states.set(check.name, said.state);
    const finding = { group: check.group, check: check.name, ...said };
    findings.push(finding);
    found(finding);
  }
  return findings;
}
