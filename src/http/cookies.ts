import { parseCookie, stringifySetCookie } from 'cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../config.ts';
import { allowedOrigins } from '../rules/origins.ts';
import { Refusal } from '../rules/refusal.ts';
import { basePath } from './base-path.ts';
import { shownOrigin } from './cors.ts';

export const REFRESH_COOKIE = '__Secure-latchkey_refresh';
export const DEVICE_COOKIE = '__Secure-latchkey_device';

/** What a browser keeps on its way to an outside provider. `__Host-`: no sibling domain can set another one. */
export const PROVIDER_COOKIE = '__Host-latchkey_provider';

type CookieName = typeof REFRESH_COOKIE | typeof DEVICE_COOKIE | typeof PROVIDER_COOKIE;

/** The way back from a provider begins at another site, so its cookie is `Lax`. */
const attributesFor = (config: Config, name: CookieName) => {
  const isLax = name === PROVIDER_COOKIE;
  return {
    path: isLax ? '/' : `${basePath(config)}/v1`,
    httpOnly: true,
    secure: true,
    sameSite: isLax ? 'lax' : 'strict',
  } as const;
};

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
  reply.header(
    'set-cookie',
    stringifySetCookie({ name, value, maxAge, ...attributesFor(config, name) }),
  );
}

export function clearRefreshCookie(reply: FastifyReply, config: Config): void {
  setCookie(reply, config, { name: REFRESH_COOKIE, value: '', maxAge: 0 });
}

/** The value of a cookie. Refuses two with the same name: a sibling domain may have set one of them. */
export function cookieOf(request: FastifyRequest, name: CookieName): string | undefined {
  const { cookie = '' } = request.headers;
  const pairs = cookie
    .split(';')
    .filter((pair) => (pair.split('=', 1)[0] as string).trim() === name);
  if (pairs.length > 1) {
    throw new Refusal('ambiguous_credentials', {
      detail: 'The request contains the same cookie twice.',
    });
  }
  return parseCookie(cookie)[name] || undefined;
}

/** CSRF check: browsers also send cookies with other sites' requests, but name the origin. Refuses origins not allowed. */
export function checkOrigin(request: FastifyRequest, config: Config): void {
  const { origin } = request.headers;
  if (origin === undefined || !allowedOrigins(config).has(origin))
    throw new Refusal('origin_forbidden', {
      reason: `${shownOrigin(origin)} is neither the origin of APP_URL nor in CORS_ORIGINS`,
    });
}
