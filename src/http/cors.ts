import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Config } from '../config.ts';
import { allowedOrigins } from '../rules/origins.ts';

/** Each refused origin is logged once, up to this many: anyone can invent them. */
const MAX_SAID = 100;

/** An origin as browsers send it, in lower case; anything else stays out of the log. */
const SHOWN = /^(?:null|[a-z][a-z\d+.-]{0,31}:\/\/[a-z\d._:[\]-]{1,255})$/;

/** The origin as it appears in the log. */
export const shownOrigin = (origin: string | undefined): string =>
  origin !== undefined && SHOWN.test(origin) ? origin : 'a missing or invalid origin';

/** Logs which origin was refused, and how to allow it. */
function refusedOrigins(): (request: FastifyRequest, origin: string) => void {
  const said = new Set<string>();
  return ({ log }, origin) => {
    const shown = shownOrigin(origin);
    if (said.has(shown) || said.size >= MAX_SAID) return;
    said.add(shown);
    log.warn(
      { origin: shown },
      `refused a browser request from ${shown}: if this is your page, set APP_URL to its address or add its origin to CORS_ORIGINS`,
    );
    if (said.size === MAX_SAID) log.warn('further refused origins are not logged');
  };
}

/** What a page of an allowed origin may read of each response (Fetch standard, section 3.3). */
const responseHeaders = (origin: string) => ({
  'access-control-allow-origin': origin,
  'access-control-allow-credentials': 'true',
  'access-control-expose-headers':
    'Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, WWW-Authenticate, DPoP-Nonce',
});

const PREFLIGHT_HEADERS = {
  'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
  'access-control-allow-headers': 'Authorization, Content-Type, Idempotency-Key, Prefer, DPoP',
  'access-control-max-age': '600',
  // Safari waits for a body if this is missing.
  'content-length': '0',
};

/**
 * Answers the preflights of allowed origins, and lets their pages read the other responses. Other origins get none of
 * these headers, and their preflights are handled as normal requests. `HEADERS` has `Vary: Origin`.
 */
export function registerCors(app: FastifyInstance, config: Config): void {
  const headersByOrigin = new Map(
    [...allowedOrigins(config)].map((origin) => [origin, Object.freeze(responseHeaders(origin))]),
  );
  const say = refusedOrigins();
  app.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers;
    if (origin === undefined) {
      done();
      return;
    }
    const isOptions = request.method === 'OPTIONS';
    const headers = headersByOrigin.get(origin);
    if (headers !== undefined) reply.headers(headers);
    else if (isOptions && request.headers['access-control-request-method'] !== undefined)
      say(request, origin);
    if (isOptions && headers !== undefined) reply.code(204).headers(PREFLIGHT_HEADERS).send();
    else done();
  });
}
