/** One line of the table in the README. */
export interface Row {
  what: string;
  target: string;
  figure: string;
  /** Half of the distance between the best and the worst round. */
  spread?: string;
  /** undefined: there is no target for it, or it could not be measured here. */
  reached?: boolean | undefined;
}

export const atLeast = (what: string, figure: number, target: number, spread?: number): Row => ({
  what,
  target: `≥ ${target}`,
  figure: figure.toFixed(2),
  ...(spread !== undefined && { spread: `± ${Math.round(spread * 100)} %` }),
  reached: figure >= target,
});

export const atMost = (
  what: string,
  figure: number,
  { target, unit }: { target: number; unit: string },
): Row => ({
  what,
  target: `≤ ${target} ${unit}`,
  figure: `${figure < 10 ? figure.toFixed(1) : Math.round(figure)} ${unit}`,
  reached: figure <= target,
});

export function print(rows: Row[]): void {
  console.table(
    rows.map(({ reached, spread = '', ...row }) => ({
      ...row,
      spread,
      verdict: reached === undefined ? '' : reached ? 'reached' : 'MISSED',
    })),
  );
}
