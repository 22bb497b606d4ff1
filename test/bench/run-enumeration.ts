import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareTimes, leaks } from './enumeration.ts';

const rounds = Number(process.argv[2] ?? 500);
const folder = mkdtempSync(join(tmpdir(), 'latchkey-'));
const comparisons = await compareTimes(rounds, `file:${join(folder, 'bench.db')}`);
rmSync(folder, { recursive: true });

console.table(
  comparisons.map((comparison) => ({
    route: comparison.route,
    kinds: comparison.kinds,
    t: Number(comparison.t.toFixed(2)),
    auc: Number(comparison.auc.toFixed(3)),
    verdict: leaks(comparison) ? 'LEAKS' : 'alike',
  })),
);
process.exitCode = comparisons.some(leaks) ? 1 : 0;
