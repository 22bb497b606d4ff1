import { type Check, verdictOf } from './verdict.ts';

/** Seconds that a verifier tolerates (`iat` and `nbf`). */
const TOLERATED = 5;

/** Seconds by which a time is ahead. A second of the text itself is lost in rounding. */
const aheadBy = (seconds: number, now: number): number => {
  const difference = seconds - now;
  return difference < 0 ? Math.min(0, difference + 1) : difference;
};

export const clock: Check = {
  group: 'Every answer',
  name: 'clock',
  needs: ['live'],
  async run({ site, account }) {
    const dated = site.answers.map(({ headers, at }) =>
      aheadBy(Date.parse(String(headers['date'])) / 1_000, at / 1_000),
    );
    const known = dated.filter((seconds) => !Number.isNaN(seconds));
    const most = known.reduce((far, one) => (Math.abs(one) > Math.abs(far) ? one : far), 0);
    const issued = account?.session?.aheadBy ?? 0;
    const faults = [
      ...(known.length < dated.length ? ['an answer has no Date header'] : []),
      ...(Math.abs(most) > TOLERATED ? [`the Date header is ${Math.round(most)} seconds off`] : []),
      ...(Math.abs(issued) > TOLERATED
        ? [`iat of a new token is ${Math.round(issued)} seconds off`]
        : []),
    ];
    return verdictOf(
      faults,
      'the times agree with the clock of this machine',
      'Compare both clocks with a time server. Tokens from a clock that is ahead are refused elsewhere.',
    );
  },
};
