import { readFileSync } from 'node:fs';
import { collectDefaultMetrics, Registry } from 'prom-client';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { problems } from '../../src/http/problem-catalogue.ts';
import { type Described, METRICS } from '../../src/parts/metric-catalogue.ts';
import { readsOf } from './expressions.ts';

interface Rule {
  alert: string;
  expr: string;
  labels: Record<string, string>;
  annotations: { summary?: string; runbook_url?: string };
}
interface Panel {
  id: number;
  title: string;
  type: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { expr: string; legendFormat: string }[];
}

const alerts = parse(readFileSync('.github/operation/alerts.yaml', 'utf8')) as {
  groups: { name: string; rules: Rule[] }[];
};
const rules = alerts.groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(readFileSync('.github/operation/dashboard.json', 'utf8')) as {
  panels: Panel[];
  templating: { list: { name: string; definition?: string }[] };
};
const operating = readFileSync('.github/OPERATING.md', 'utf8');

const registry = new Registry();
collectDefaultMetrics({ register: registry });
const ofProcess = new Map(registry.getMetricsAsArray().map((metric) => [metric.name, metric]));

/** What Prometheus itself adds to every metric. */
const TARGET = ['job', 'instance'];

/** The metric that a series belongs to, and the labels of the series. */
function seriesOf(name: string): { described: Described; labels: string[] } | undefined {
  const all: Record<string, Described> = METRICS;
  const base = name.replace(/_(bucket|sum|count)$/, '');
  const histogram = base !== name && all[base]?.type === 'histogram' ? all[base] : undefined;
  const described = histogram ?? all[name];
  // The name of a histogram alone is no series.
  if (described === undefined || (described.type === 'histogram' && histogram === undefined))
    return undefined;
  const bound = name.endsWith('_bucket') ? ['le'] : [];
  return { described, labels: [...Object.keys(described.labels ?? {}), ...bound] };
}

function isTold(t: Test, expression: string): void {
  const { metrics, groupedBy } = readsOf(expression);
  t.ok(metrics.length > 0, expression);
  const known = new Set(TARGET);
  for (const { name, matchers } of metrics) {
    if (name === 'up' || ofProcess.has(name)) continue;
    const series = seriesOf(name);
    t.ok(series, `${name} in ${expression}`);
    for (const label of series?.labels ?? []) known.add(label);
    for (const { label, operator, value } of matchers) {
      t.ok([...TARGET, ...(series?.labels ?? [])].includes(label), `${label} of ${name}`);
      const values = series?.described.labels?.[label];
      if (values && operator === '=')
        t.ok(values.includes(value), `${label}="${value}" of ${name}`);
      if (label === 'code') t.ok(value in problems, `the problem code ${value}`);
    }
    const isCounted = /^(rate|increase)$/;
    const around = new RegExp(`(\\w+)\\(${name}\\b`).exec(expression)?.[1] ?? '';
    const rises = series?.described.type !== 'gauge';
    t.equal(isCounted.test(around), rises, `${name}: a counter by its rate, and no gauge so`);
  }
  for (const label of groupedBy) t.ok(known.has(label), `grouped by ${label}: ${expression}`);
}

t.test('the names follow the conventions of Prometheus', async (t) => {
  for (const [name, { type, help }] of Object.entries<Described>(METRICS)) {
    t.match(name, /^latchkey_[a-z]+(_[a-z]+)*$/);
    t.equal(name.endsWith('_total'), type === 'counter', `${name} is a ${type}`);
    if (type === 'histogram') t.match(name, /_seconds$/);
    t.match(help, /\.$/);
  }
});

t.test('every alert reads metrics and labels that the service tells', async (t) => {
  for (const { alert, expr } of rules) await t.test(alert, async (t) => isTold(t, expr));
});

t.test('every alert says what is wrong, how bad, and where the page says what to do', async (t) => {
  const headings = [...operating.matchAll(/^#+ (.+)$/gm)].map(([, text = '']) => text);
  for (const { alert, labels, annotations, expr } of rules) {
    t.match(annotations.runbook_url, `OPERATING.md#${alert.toLowerCase()}`);
    t.ok(headings.includes(alert), alert);
    t.match(labels['severity'], /^(warning|critical)$/);
    const { groupedBy, metrics } = readsOf(expr);
    for (const [, label = ''] of annotations.summary?.matchAll(/\$labels\.(\w+)/g) ?? []) {
      const all = metrics.flatMap(({ name }) => seriesOf(name)?.labels ?? []);
      const left = /\bsum by\b/.test(expr) ? groupedBy : [...TARGET, ...all];
      t.ok(left.includes(label), `${alert}: ${label} is left after grouping`);
    }
  }
  const named = headings.filter((heading) => /^Latchkey[A-Z]/.test(heading));
  t.same(
    named,
    rules.map(({ alert }) => alert),
    'no heading is without an alert',
  );
});

t.test(
  'every panel of the dashboard reads metrics and labels that the service tells',
  async (t) => {
    const panels = dashboard.panels.filter(({ type }) => type !== 'row');
    t.ok(panels.length > 15);
    for (const { title, targets = [] } of panels)
      await t.test(title, async (t) => {
        t.ok(targets.length > 0);
        for (const { expr, legendFormat } of targets) {
          isTold(t, expr);
          const { groupedBy, metrics } = readsOf(expr);
          for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
            const all = metrics.flatMap(({ name }) => seriesOf(name)?.labels ?? []);
            const isGrouped = groupedBy.length > 0;
            t.ok(
              (isGrouped ? groupedBy : [...TARGET, ...all]).includes(label),
              `${title}: ${label}`,
            );
          }
        }
      });
    const { list } = dashboard.templating;
    const variables = list.map(({ name }) => name);
    for (const [, name = ''] of JSON.stringify(dashboard).matchAll(/\$\{?(\w+)/g))
      t.ok([...variables, '__rate_interval'].includes(name), `$${name}`);
  },
);

t.test('every metric is on the dashboard, and its panels do not overlap', async (t) => {
  const shown = new Set(
    dashboard.panels.flatMap(({ targets = [] }) =>
      targets.flatMap(({ expr }) => readsOf(expr).metrics.map(({ name }) => name)),
    ),
  );
  for (const [name, { type }] of Object.entries<Described>(METRICS))
    t.ok(shown.has(type === 'histogram' ? `${name}_bucket` : name), name);
  const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`),
  );
  t.equal(new Set(cells).size, cells.length);
  t.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
});
