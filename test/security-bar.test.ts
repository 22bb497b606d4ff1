import { globSync, readFileSync } from 'node:fs';
import t from 'tap';
import { SECURITY_BAR, SETTLED } from './security-bar.ts';

const ID = /\b[A-Z]{3}-\d{2}\b/g;

/** The ids at the front of titles, by file: of tests, and of tables of tests. */
const shown = new Map<string, string[]>();
for (const file of globSync('test/**/*.test.ts').sort()) {
  const titles = readFileSync(file, 'utf8').matchAll(/['"`]((?:[A-Z]{3}-\d{2}[ ,]+)+)(?=\S)/g);
  for (const [, ids = ''] of titles)
    for (const [id] of ids.matchAll(ID)) shown.set(id, [...(shown.get(id) ?? []), file]);
}

const rows = Object.keys(SECURITY_BAR);
const settled = Object.keys(SETTLED);

t.test('every row of the security bar has a test that is named by it, or a reason', async (t) => {
  t.same(
    rows.filter((id) => !shown.has(id) && !settled.includes(id)),
    [],
  );
});

t.test('no test is named by a row that there is not', async (t) => {
  t.same(
    [...shown].filter(([id]) => !rows.includes(id)),
    [],
  );
});

t.test('no reason stands for a row that has a test', async (t) => {
  t.same(
    settled.filter((id) => shown.has(id)),
    [],
  );
});

t.test('the rows of each group are counted through', async (t) => {
  for (const [group, ids] of Map.groupBy(rows, (id) => id.slice(0, 3))) {
    const counted = ids?.map((_, at) => `${group}-${String(at + 1).padStart(2, '0')}`);
    t.same(ids, counted, group);
  }
});
