import { type Check, ok, verdictOf, warning, wrong } from './verdict.ts';

const GROUP = 'Reach';
/** Milliseconds that the median answer may take. */
const SLOW = 500;
const SAMPLES = 5;

/** Everything else needs it. Its own request is the first one, so a deployment that cannot be reached ends here. */
export const redirects: Check = {
  group: GROUP,
  name: 'redirects',
  needs: ['certificate'],
  async run({ site }) {
    const { status, headers } = await site.ask('/livez');
    const target = headers['location'];
    if (status < 300 || status > 399) return ok('answers itself, without a redirect');
    return wrong(
      `answers ${status} and leads to ${target}`,
      'Check that address instead, and give it to your clients: a redirect loses request bodies and tokens.',
    );
  },
};

export const time: Check = {
  group: GROUP,
  name: 'response-time',
  needs: ['redirects'],
  async run({ site }) {
    const taken: number[] = [];
    for (let sample = 0; sample < SAMPLES; sample++)
      taken.push((await site.ask('/livez')).milliseconds);
    const median = taken.sort((one, other) => one - other)[SAMPLES >> 1] as number;
    const said = `/livez answers in ${Math.round(median)} ms (median of ${SAMPLES})`;
    return median <= SLOW
      ? ok(said)
      : warning(
          said,
          'It does no work, so the time is lost on the way: network, proxy or a full node.',
        );
  },
};

export const live: Check = {
  group: GROUP,
  name: 'live',
  needs: ['redirects'],
  async run({ site }) {
    const { status, text } = await site.ask('/livez');
    return verdictOf(
      status === 200 && text === '{"status":"ok"}' ? [] : [`/livez answers ${status}`],
      'the process is alive',
      'Something else answers at this URL, or the proxy does not lead to Latchkey. If ISSUER has a path, the URL needs it too.',
    );
  },
};
