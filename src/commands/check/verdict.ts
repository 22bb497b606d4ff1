import type { Terminal } from '../terminal.ts';
import type { Contract } from './contract.ts';
import type { Site } from './site.ts';
import type { Options } from './usage.ts';

export type State = 'ok' | 'warning' | 'wrong' | 'skipped';

export interface Verdict {
  state: State;
  /** What was seen. Never a secret. */
  says: string;
  /** What to do about it. */
  mend?: string;
}

export const ok = (says: string): Verdict => ({ state: 'ok', says });
export const skipped = (says: string): Verdict => ({ state: 'skipped', says });
export const warning = (says: string, mend: string): Verdict => ({ state: 'warning', says, mend });
export const wrong = (says: string, mend: string): Verdict => ({ state: 'wrong', says, mend });

/** Characters of a fault that are shown: the deployment may have written most of it. */
const LONGEST = 600;

/** The first five faults in one sentence, or what is said if there are none. */
export const verdictOf = (faults: string[], good: string, mend: string): Verdict => {
  const different = new Set(faults.map((fault) => fault.slice(0, LONGEST)));
  return faults.length === 0 ? ok(good) : wrong([...different].slice(0, 5).join('; '), mend);
};

/** The texts among what a list of conditions leaves. */
export const textsOf = (faults: unknown[]): string[] =>
  faults.filter((fault) => typeof fault === 'string');

/** What the checks of an account know. Tokens stay in here. */
export interface Session {
  access: string;
  refresh: string;
  /** Of the access token, like its claims. */
  header: Record<string, unknown>;
  claims: Record<string, unknown>;
  /** Seconds by which its `iat` is ahead of the clock of this machine. */
  aheadBy: number;
}

export interface Account {
  email: string;
  password: string;
  session?: Session;
}

export interface World {
  site: Site;
  contract: Contract;
  options: Options;
  terminal: Terminal;
  account: Account | undefined;
}

export interface Check {
  group: string;
  /** Unique; a column of the output. */
  name: string;
  /** Checks that must have succeeded: without them this one would only repeat their fault. */
  needs?: string[];
  run(world: World): Promise<Verdict>;
}
