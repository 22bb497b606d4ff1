import type { Answer } from './exchange.ts';
import { type Check, textsOf, verdictOf } from './verdict.ts';

const GROUP = 'Browsers';
const STRANGER = 'https://attacker.example';
const WANTED = ['authorization', 'content-type', 'idempotency-key'];
const METHODS = ['POST', 'PATCH', 'DELETE'];
const READABLE = ['retry-after', 'ratelimit-remaining', 'www-authenticate'];

const preflight = (origin: string) => ({
  method: 'OPTIONS',
  headers: {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': WANTED.join(','),
    'sec-fetch-mode': 'cors',
  },
});

const listOf = ({ headers }: Answer, name: string): string[] =>
  String(headers[`access-control-${name}`]).toLowerCase().split(/ *, */);

const missing = (answer: Answer, name: string, wanted: string[]): string[] =>
  wanted
    .filter((item) => !listOf(answer, name).includes(item.toLowerCase()))
    .map((item) => `Access-Control-${name} lacks ${item}`);

/** What keeps a page of the origin from reading an answer. */
const unreadable = ({ headers, method }: Answer, origin: string): string[] =>
  textsOf([
    headers['access-control-allow-origin'] !== origin &&
      `${method}: Access-Control-Allow-Origin is ${headers['access-control-allow-origin']}`,
    headers['access-control-allow-credentials'] !== 'true' &&
      `${method}: Access-Control-Allow-Credentials is not true`,
  ]);

export const corsStrangers: Check = {
  group: GROUP,
  name: 'cors-strangers',
  needs: ['live'],
  async run({ site }) {
    const answers = [
      await site.ask('/v1/login', preflight(STRANGER)),
      await site.ask('/livez', { headers: { origin: STRANGER } }),
      await site.ask('/livez', { headers: { origin: 'null' } }),
    ];
    const allowed = answers
      .map(({ headers }) => headers['access-control-allow-origin'])
      .filter((origin) => origin !== undefined);
    return verdictOf(
      allowed.map((origin) => `a foreign page gets Access-Control-Allow-Origin: ${origin}`),
      'pages of other origins get no CORS headers',
      'Remove the CORS headers from the proxy: Latchkey sets them, for APP_URL and CORS_ORIGINS alone.',
    );
  },
};

/** For one page that calls the API. */
export const cors = (origin: string): Check => ({
  group: GROUP,
  name: `cors ${origin}`,
  needs: ['cors-strangers'],
  async run({ site }) {
    const before = await site.ask('/v1/login', preflight(origin));
    const simple = await site.ask('/livez', { headers: { origin } });
    return verdictOf(
      [
        ...(before.status > 299 ? [`the preflight is answered ${before.status}`] : []),
        ...unreadable(before, origin),
        ...missing(before, 'allow-headers', WANTED),
        ...missing(before, 'allow-methods', METHODS),
        ...unreadable(simple, origin),
        ...missing(simple, 'expose-headers', READABLE),
      ],
      'its pages may call with credentials',
      'Set APP_URL to the address of the page or add its origin to CORS_ORIGINS, and let the proxy pass OPTIONS and these headers.',
    );
  },
});
