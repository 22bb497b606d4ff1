import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../config.ts';
import { Refusal } from '../rules/refusal.ts';
import { basePath } from './base-path.ts';
import { allowedOrigins, shownOrigin } from './cors.ts';

export const REFRESH_COOKIE = '__Secure-latchkey_refresh';
export const DEVICE_COOKIE = '__Secure-latchkey_device';

const attributesFor = (config: Config) =>
  ({ path: `${basePath(config)}/v1`, httpOnly: true, secure: true, sameSite: 'strict' }) as const;

type CookieName = typeof REFRESH_COOKIE | typeof DEVICE_COOKIE;

interface NewCookie {
  name: CookieName;
  value: string;
  /** Seconds. */
  maxAge: number;
}

export function setCookie(
  reply: FastifyReply,
  config: Config,
  { name, value, maxAge }: NewCookie,
): void {
  reply.setCookie(name, value, { ...attributesFor(config), maxAge });
}

export function clearRefreshCookie(reply: FastifyReply, config: Config): void {
  setCookie(reply, config, { name: REFRESH_COOKIE, value: '', maxAge: 0 });
}

/** A cookie's value. Refuses two of one name: a neighbouring domain may have set the other. */
export function cookieOf(request: FastifyRequest, name: CookieName): string | undefined {
  const pairs = (request.headers.cookie ?? '')
    .split(';')
    .filter((pair) => pair.trim().startsWith(`${name}=`));
  if (pairs.length > 1) {
    throw new Refusal('ambiguous_credentials', {
      detail: 'The request carries the same cookie twice.',
    });
  }
  return request.cookies[name] || undefined;
}

/** A browser adds cookies to other sites' requests too, but names the site: only allowed ones get through. */
export function checkOrigin(request: FastifyRequest, config: Config): void {
  const { origin } = request.headers;
  if (origin === undefined || !allowedOrigins(config).has(origin))
    throw new Refusal('origin_forbidden', {
      reason: `${shownOrigin(origin)} is not the origin of APP_URL, nor in CORS_ORIGINS`,
    });
}
