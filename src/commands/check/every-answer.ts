import { HEADERS } from '../../http/headers.ts';
import type { Answer } from './exchange.ts';
import { type Check, verdictOf } from './verdict.ts';

const GROUP = 'Every answer';

/** Public documents that may be kept. */
const PUBLIC = /^\/(\.well-known\/.*|problems\/.*|client\.(js|d\.ts)|openapi\.yaml)$/;

export const isPublic = (path: string): boolean => PUBLIC.test(path);
/** A year, in seconds: the least that hstspreload.org takes. */
const LONG = 31_536_000;

const {
  'strict-transport-security': _hsts,
  'cache-control': _cache,
  vary: _vary,
  ...EXACT
} = HEADERS;

/** What Latchkey sends on every answer, and a proxy may have taken away. */
function faultsOf({ headers, path }: Answer, isHttps: boolean): string[] {
  const maxAge = /max-age=(\d+)/.exec(String(headers['strict-transport-security']))?.[1];
  const wrong = Object.entries(EXACT).filter(([name, value]) => headers[name] !== value);
  return [
    ...wrong.map(([name, value]) => `${name} is ${headers[name]} instead of ${value}`),
    ...(isHttps && !(Number(maxAge) >= LONG)
      ? ['strict-transport-security is missing or short']
      : []),
    ...(headers['cache-control'] !== 'no-store' && !isPublic(path)
      ? [`cache-control of ${path} is ${headers['cache-control']} instead of no-store`]
      : []),
    ...(/\borigin\b/i.test(String(headers['vary'])) ? [] : ['vary does not name Origin']),
  ];
}

export const securityHeaders: Check = {
  group: GROUP,
  name: 'security-headers',
  needs: ['live'],
  async run({ site }) {
    const faults = site.answers.flatMap((answer) => faultsOf(answer, site.isHttps));
    return verdictOf(
      faults,
      `${site.answers.length} answers have them`,
      'Let the proxy pass the headers of Latchkey, and add none of its own with the same names.',
    );
  },
};

export const serverNames: Check = {
  group: GROUP,
  name: 'server-names',
  needs: ['live'],
  async run({ site }) {
    const named = site.answers.flatMap(({ headers }) =>
      ['server', 'x-powered-by', 'via']
        .filter((name) => name in headers)
        .map((name) => `answers say ${name}: ${headers[name]}`),
    );
    return verdictOf(
      named,
      'no answer says what serves it',
      'Remove the header in the proxy (nginx: server_tokens off hides the version at least).',
    );
  },
};

export const declared: Check = {
  group: GROUP,
  name: 'document',
  needs: ['problems'],
  async run({ site, contract }) {
    return verdictOf(
      site.answers.flatMap((answer) => contract.faultsOf(answer)),
      `${site.answers.length} answers are as openapi.yaml declares them`,
      'Something between here and Latchkey changes the answers, or it has another version.',
    );
  },
};
