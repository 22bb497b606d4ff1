import { styleText } from 'node:util';
import { escaped, escapedLines } from '../escaped.ts';
import type { Terminal } from '../terminal.ts';
import type { Finding } from './run-checks.ts';
import type { State } from './verdict.ts';

const COLOURS = { ok: 'green', warning: 'yellow', wrong: 'red', skipped: 'gray' } as const;
const INDENT = ' '.repeat(28);

/** How many findings have each state. */
export const countsOf = (findings: Finding[]): Record<State, number> => {
  const count = (state: State) => findings.filter((finding) => finding.state === state).length;
  return {
    ok: count('ok'),
    warning: count('warning'),
    wrong: count('wrong'),
    skipped: count('skipped'),
  };
};

/** Characters of what the deployment says. */
const SHOWN = 600;

/** Writes a line for each finding, below the name of its group. */
export function textReport({ stdout }: Pick<Terminal, 'stdout'>) {
  let group = '';
  const coloured = (state: State) => {
    const text = state.padEnd(8);
    return stdout.isTTY ? styleText(COLOURS[state], text, { validateStream: false }) : text;
  };
  return {
    found(finding: Finding) {
      const { state, check, says, mend } = finding;
      if (finding.group !== group) stdout.write(`${group === '' ? '' : '\n'}${finding.group}\n`);
      group = finding.group;
      stdout.write(`  ${coloured(state)} ${check.padEnd(16)} ${escaped(says.slice(0, SHOWN))}\n`);
      if (mend !== undefined) stdout.write(`${INDENT}${mend}\n`);
    },
    end(findings: Finding[]) {
      const { ok, warning, wrong, skipped } = countsOf(findings);
      stdout.write(`\n${ok} ok, ${warning} warnings, ${wrong} wrong, ${skipped} skipped\n`);
    },
  };
}

/** One JSON object at the end. */
export const jsonReport = ({ stdout }: Pick<Terminal, 'stdout'>, url: string) => ({
  found() {},
  end(findings: Finding[]) {
    const text = JSON.stringify({ url, summary: countsOf(findings), findings }, null, 2);
    stdout.write(`${escapedLines(text)}\n`);
  },
});
