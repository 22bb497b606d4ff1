import { isPublic } from './every-answer.ts';
import type { Site } from './site.ts';
import { type Check, ok, skipped, textsOf, verdictOf, warning, wrong } from './verdict.ts';

const GROUP = 'Proxy';
const FOREIGN = 'attacker.example';

const LIMIT_HEADERS = ['ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'];

export const rateLimits: Check = {
  group: GROUP,
  name: 'rate-limits',
  needs: ['live'],
  async run({ site }) {
    const { headers } = await site.ask('/livez');
    const missing = LIMIT_HEADERS.filter((name) => headers[name] === undefined);
    if (missing.length === 0) return ok(`${headers['ratelimit-limit']} requests in each window`);
    return warning(
      `answers lack ${missing.join(', ')}`,
      'Let the proxy pass these headers. If RATE_LIMIT is off, the proxy must limit requests.',
    );
  },
};

/** Client addresses of RFC 5737. */
const inventedAddresses = (): string[] => {
  const first = Math.floor(Math.random() * 250);
  return [1, 2, 3, 4].map((step) => `203.0.113.${first + step}`);
};

async function requestsLeft(site: Site, forwarded?: string): Promise<number> {
  const { headers } = await site.ask('/livez', {
    headers: { ...(forwarded && { 'x-forwarded-for': forwarded }) },
  });
  return Number(headers['ratelimit-remaining']);
}

export const forwardedFor: Check = {
  group: GROUP,
  name: 'forwarded-for',
  needs: ['rate-limits'],
  async run({ site }) {
    // Twice: the first one may begin a window, and have as many left as another client.
    const own = Math.min(await requestsLeft(site), await requestsLeft(site));
    if (Number.isNaN(own)) return skipped('answers have no rate-limit headers');
    const spoofed: number[] = [];
    for (const address of inventedAddresses()) spoofed.push(await requestsLeft(site, address));
    // After a new window has begun, one client also has more left than before, but less each time.
    const isOneClient = spoofed.every((left, at) => left < (spoofed[at - 1] ?? Infinity));
    if (isOneClient || spoofed.some((left) => left <= own))
      return ok('an invented X-Forwarded-For is counted for the same client');
    return wrong(
      'an invented X-Forwarded-For is counted as another client: nobody is limited',
      'The proxy must replace X-Forwarded-For, not pass on what clients send (nginx: proxy_set_header X-Forwarded-For $remote_addr), and TRUST_PROXY must name the proxies alone.',
    );
  },
};

export const host: Check = {
  group: GROUP,
  name: 'host',
  needs: ['metadata'],
  async run({ site }) {
    const path = `/.well-known/oauth-authorization-server${site.base}`;
    const foreign = await site.askAt(path, { headers: { host: FOREIGN } });
    if (foreign.text.includes(FOREIGN) || String(foreign.headers['location']).includes(FOREIGN))
      return wrong(
        'the Host header of a request gets into the answer',
        'Let no proxy and no cache build addresses from Host: name the host in its configuration.',
      );
    const invalid = await site.ask('/livez', {
      headers: { host: 'not a host' },
      isMalformed: true,
    });
    if (invalid.status >= 400)
      return ok('an invalid Host is refused, a foreign one changes nothing');
    return warning(
      'an invalid Host is accepted: the proxy replaces it',
      'Pass the Host of the client (nginx: proxy_set_header Host $host), so that ambiguous requests are refused.',
    );
  },
};

/** Bytes: an access token with the cookies of the page. */
const USUAL = 6_000;
const HUGE = 40_000;

export const headerSize: Check = {
  group: GROUP,
  name: 'header-size',
  needs: ['live'],
  async run({ site }) {
    const ask = (bytes: number) =>
      site.ask('/livez', {
        headers: { cookie: `page=${'x'.repeat(bytes)}` },
        isApart: true,
        isMalformed: true,
      });
    const { status } = await ask(USUAL);
    // A server may close the connection before it has read so much.
    const huge = await ask(HUGE).catch(() => undefined);
    return verdictOf(
      textsOf([
        status !== 200 && `headers of ${USUAL} bytes are answered ${status}`,
        huge?.status === 200 && `headers of ${HUGE} bytes are accepted`,
      ]),
      `headers of ${USUAL} bytes pass, ${HUGE} are refused`,
      'Let the proxy pass headers up to 16 KB (nginx: large_client_header_buffers 4 16k), and no more.',
    );
  },
};

export const compression: Check = {
  group: 'Every answer',
  name: 'compression',
  needs: ['live'],
  async run({ site }) {
    const compressed = site.answers.filter(
      ({ headers, path }) => headers['content-encoding'] !== undefined && !isPublic(path),
    );
    const [example] = compressed.toSorted((one, other) => (one.method < other.method ? 1 : -1));
    return verdictOf(
      example === undefined
        ? []
        : [
            `${compressed.length} answers are compressed, such as ${example.method} ${example.path}`,
          ],
      'answers that may carry a token are not compressed',
      'Switch compression off for this host, or for what says no-store: its length tells parts of the content (BREACH).',
    );
  },
};
