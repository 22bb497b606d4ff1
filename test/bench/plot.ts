/** A bar chart of the README. */
export interface Chart {
  title: string;
  /** What a value is of: `a second`, `ms`. */
  unit: string;
  bars: { label: string; value: number }[];
}

const WIDTH = 760;
const LABELS = 250;
const BAR = 18;
const LINE = 26;
const TITLE = 44;
const FONT = 'system-ui, sans-serif';

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

function chartOf({ title, unit, bars }: Chart, top: number): string {
  const most = Math.max(...bars.map(({ value }) => value));
  const space = WIDTH - LABELS - 130;
  const lines = bars.map(({ label, value }, index) => {
    const y = top + TITLE + index * LINE;
    const length = Math.max(2, (value / most) * space);
    const figure = value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(1);
    return [
      `<text x="${LABELS - 10}" y="${y + 13}" text-anchor="end">${escaped(label)}</text>`,
      `<rect x="${LABELS}" y="${y}" width="${length.toFixed(1)}" height="${BAR}" rx="3" class="${index === 0 ? 'own' : 'other'}"/>`,
      `<text x="${(LABELS + length + 8).toFixed(1)}" y="${y + 13}">${figure} ${escaped(unit)}</text>`,
    ].join('\n');
  });
  return [`<text x="0" y="${top + 26}" class="title">${escaped(title)}</text>`, ...lines].join(
    '\n',
  );
}

/** The charts as one SVG, for light and dark pages. */
export function svgOf(charts: Chart[]): string {
  let height = 0;
  const drawn = charts.map((chart) => {
    const top = height;
    height += TITLE + chart.bars.length * LINE + 10;
    return chartOf(chart, top);
  });
  const titles = charts.map(({ title }) => title).join('; ');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(titles)}">
<style>
text { font: 13px ${FONT}; fill: #24292f }
.title { font-size: 15px; font-weight: 600 }
.own { fill: #1a7f5a }
.other { fill: #8c959f }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .own { fill: #3fb984 } .other { fill: #6e7681 } }
</style>
${drawn.join('\n')}
</svg>
`;
}
