import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { EX_UNAVAILABLE } from '../../start-faults.ts';
import { CommandFault } from '../command-fault.ts';
import { askFor, type Terminal } from '../terminal.ts';
import { checksFor } from './checks.ts';
import { Contract } from './contract.ts';
import { PATIENCE, reasonOf } from './odd-answer.ts';
import { jsonReport, textReport } from './report.ts';
import { runChecks } from './run-checks.ts';
import { hostOf, portOf, Site, type SiteOptions } from './site.ts';
import type { Options } from './usage.ts';
import type { Account } from './verdict.ts';

const DOCUMENT = new URL('../../../openapi.yaml', import.meta.url);

/** The deployment cannot be reached: no check could say anything. */
export class Unreachable extends CommandFault {
  constructor(message: string) {
    super(message, EX_UNAVAILABLE);
  }
}

/** The document of this version, as text and read. */
export function readDocument() {
  const yaml = readFileSync(DOCUMENT, 'utf8');
  return { yaml, contract: new Contract(yaml) };
}

export interface Surroundings extends Pick<SiteOptions, 'clock' | 'uptime' | 'sleep'> {
  terminal: Terminal;
  document: ReturnType<typeof readDocument>;
  /** LATCHKEY_PASSWORD. */
  password: string | undefined;
}

async function accountOf({ email }: Options, { password, terminal }: Surroundings) {
  if (email === undefined) return undefined;
  return { email, password: password ?? (await askFor('Password', terminal)) } satisfies Account;
}

async function assertReachable(url: URL): Promise<void> {
  const socket = connect(portOf(url), hostOf(url));
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(PATIENCE) });
  } catch (error) {
    throw new Unreachable(`${url.origin} cannot be reached: ${reasonOf(error)}`);
  } finally {
    socket.destroy();
  }
}

/** Checks a deployment. Returns the exit code: 1 if something is wrong. Throws Unreachable. */
export async function runCheckCommand(options: Options, around: Surroundings): Promise<number> {
  const ca = options.ca === undefined ? undefined : readFileSync(options.ca, 'utf8');
  await assertReachable(options.url);
  const account = await accountOf(options, around);
  const {
    terminal,
    document: { yaml, contract },
  } = around;
  const site = new Site({ ...around, url: options.url, ca, requests: options.requests });
  const report = options.isJson ? jsonReport(terminal, site.url) : textReport(terminal);
  try {
    const world = { site, contract, options, terminal, account };
    const findings = await runChecks(
      checksFor({ ...options, document: yaml }),
      world,
      report.found,
    );
    report.end(findings);
    return findings.some(({ state }) => state === 'wrong') ? 1 : 0;
  } finally {
    site.close();
  }
}
