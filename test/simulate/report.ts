import type { Chart } from '../bench/plot.ts';
import type { Figures } from './watch.ts';

export interface Outcome extends Figures {
  name: string;
}

const minutes = (milliseconds: number | undefined): string =>
  milliseconds === undefined ? '' : `${(milliseconds / 60_000).toFixed(1)} min`;

/** Both must be 0. */
export const isClean = ({ falseSignOuts, undetected }: Figures): boolean =>
  falseSignOuts + undetected === 0;

/** One line of the table for each policy. */
export const table = (outcomes: Outcome[]) =>
  outcomes.map(({ name, falseSignOuts, undetected, thefts, detectedAfter }) => {
    const later = detectedAfter.filter((time) => time > 0).sort((a, b) => a - b);
    return {
      policy: name,
      'false sign-outs': falseSignOuts,
      'undetected thefts': undetected,
      thefts,
      'refused at first use': detectedAfter.length - later.length,
      'later: median': minutes(later[later.length >> 1]),
      'later: longest': minutes(later.at(-1)),
    };
  });

export const charts = (outcomes: Outcome[]): Chart[] => [
  {
    title: 'Honest clients signed out',
    unit: 'in 1,000 refreshes',
    bars: outcomes.map(({ name, falseSignOuts, refreshes }) => ({
      label: name,
      value: (falseSignOuts / refreshes) * 1_000,
    })),
  },
  {
    title: 'Thieves who go on after the owner has refreshed',
    unit: 'in 100 thefts',
    bars: outcomes.map(({ name, undetected, thefts }) => ({
      label: name,
      value: (undetected / thefts) * 100,
    })),
  },
];
