import cors from '@fastify/cors';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Config } from '../config.ts';

type Origins = Pick<Config, 'ISSUER' | 'APP_URL' | 'CORS_ORIGINS'>;

/** The origins whose pages may call, with cookies: the service's, the application's, and those that are listed. */
export function allowedOrigins({ ISSUER, APP_URL, CORS_ORIGINS }: Origins): Set<string> {
  const own = [ISSUER, APP_URL].map((url) => new URL(url).origin);
  return new Set([...own, ...CORS_ORIGINS]);
}

/** Each is said once, and no more than these: anybody can make them up. */
const MAX_SAID = 100;

/** What a browser sends as an origin, in lower case as it does; anything else is not shown. */
const SHOWN = /^(?:null|[a-z][a-z\d+.-]{0,31}:\/\/[a-z\d._:[\]-]{1,255})$/;

/** For the log. */
export const shownOrigin = (origin: string | undefined): string =>
  origin !== undefined && SHOWN.test(origin) ? origin : 'something that is no origin';

/** Says in the log which origin was refused, and what would allow it. */
function refusedOrigins(): (request: FastifyRequest, origin: string) => void {
  const said = new Set<string>();
  return ({ log }, origin) => {
    const shown = shownOrigin(origin);
    if (said.has(shown) || said.size >= MAX_SAID) return;
    said.add(shown);
    log.warn(
      { origin: shown },
      `a page of ${shown} was refused: if it is yours, set APP_URL to its address or add its origin to CORS_ORIGINS`,
    );
    if (said.size === MAX_SAID) log.warn('further refused origins are not said');
  };
}

export async function registerCors(app: FastifyInstance, config: Config): Promise<void> {
  const allowed = allowedOrigins(config);
  await app.register(cors, {
    // An origin that is not allowed gets none of these headers, and its preflight is no preflight.
    origin: (origin, done) => done(null, origin !== undefined && allowed.has(origin) && origin),
    strictPreflight: false,
    credentials: true,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: ['Authorization', 'Content-Type', 'Idempotency-Key'],
    exposedHeaders: [
      'Retry-After',
      'RateLimit-Limit',
      'RateLimit-Remaining',
      'RateLimit-Reset',
      'WWW-Authenticate',
    ],
    maxAge: 600,
  });

  const say = refusedOrigins();
  // Preflights that are allowed have been answered by now.
  app.addHook('onRequest', (request, _reply, done) => {
    const { origin, 'access-control-request-method': wanted } = request.headers;
    if (request.method === 'OPTIONS' && wanted !== undefined && origin !== undefined)
      say(request, origin);
    done();
  });
}
