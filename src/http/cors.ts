import cors from '@fastify/cors';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Config } from '../config.ts';

type Origins = Pick<Config, 'ISSUER' | 'APP_URL' | 'CORS_ORIGINS'>;

/** The origins whose pages may call with cookies: those of ISSUER and APP_URL, and the list in CORS_ORIGINS. */
export function allowedOrigins({ ISSUER, APP_URL, CORS_ORIGINS }: Origins): Set<string> {
  const own = [ISSUER, APP_URL].map((url) => new URL(url).origin);
  return new Set([...own, ...CORS_ORIGINS]);
}

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

export async function registerCors(app: FastifyInstance, config: Config): Promise<void> {
  const allowed = allowedOrigins(config);
  await app.register(cors, {
    // Other origins get none of these headers, and their preflight is handled as a normal request.
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
  // Allowed preflights have already been answered here.
  app.addHook('onRequest', (request, _reply, done) => {
    const { origin, 'access-control-request-method': wanted } = request.headers;
    if (request.method === 'OPTIONS' && wanted !== undefined && origin !== undefined)
      say(request, origin);
    done();
  });
}
