const mean = (sample: number[]): number =>
  sample.reduce((sum, value) => sum + value, 0) / sample.length;

const variance = (sample: number[]): number => {
  const middle = mean(sample);
  return sample.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (sample.length - 1);
};

/** Without the slowest twentieth: a pause of the machine says nothing about the service. */
const trimmed = (sample: number[]): number[] =>
  sample.toSorted((a, b) => a - b).slice(0, Math.ceil(sample.length * 0.95));

/** Welch's t statistic of two samples. */
export function welch(left: number[], right: number[]): number {
  const [a, b] = [trimmed(left), trimmed(right)];
  return (mean(a) - mean(b)) / Math.sqrt(variance(a) / a.length + variance(b) / b.length);
}

/** How likely a value of the right sample is above one of the left: 0.5 when nothing tells them apart. */
export function areaUnderCurve(left: number[], right: number[]): number {
  const wins = left.flatMap((a) => right.map((b) => (b > a ? 1 : b === a ? 0.5 : 0)));
  return mean(wins);
}
