import { OddAnswer } from './odd-answer.ts';
import { type Check, type State, skipped, type Verdict, type World, wrong } from './verdict.ts';

export interface Finding extends Verdict {
  group: string;
  check: string;
}

/** Whatever a check throws is its own finding: an answer that no check expects must not keep the others from running. */
async function verdict(check: Check, world: World): Promise<Verdict> {
  try {
    return await check.run(world);
  } catch (error) {
    if (error instanceof OddAnswer) return wrong(error.message, error.mend);
    return wrong(
      `an answer cannot be judged: ${(error as Error).message}`,
      'Something else than Latchkey has made the answer. If not, this is a bug in the check: please report it.',
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
