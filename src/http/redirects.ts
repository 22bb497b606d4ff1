import type { FastifyRequest } from 'fastify';
import type { Config } from '../config.ts';
import { servesPages } from './own-page.ts';
import { refusalOf } from './problems.ts';

const WANTS_HTML = /\btext\/html\b/i;

/** Whether a browser opens this URL as a page: it shows a page if something goes wrong, and other clients get a problem. */
const isPage = ({ headers: { accept = '' } }: FastifyRequest): boolean => WANTS_HTML.test(accept);

/** Where the browser goes after a sign-in with a provider, if nothing else was asked for. */
export const startPage = (config: Config): string =>
  servesPages(config) ? `${config.APP_URL}/account` : config.APP_URL;

interface Landing {
  /** A page of the application, such as `login`. */
  page: 'login' | 'account';
  /** The code of what went wrong. */
  error?: string;
  /** Where the user wanted to go. */
  to?: string | undefined;
  /** Only the script of the page sees it: a fragment is in no request, log or `Referer` header. */
  fragment?: Record<string, string>;
}

/** The URL of a page of the application, with what it says. */
export function landing(config: Config, { page, error, to, fragment }: Landing): string {
  const url = new URL(`${config.APP_URL}/${page}`);
  if (error !== undefined) url.searchParams.set('error', error);
  const next = to === undefined ? undefined : new URL(to);
  // The page takes a path of its own origin alone.
  if (next?.origin === url.origin)
    url.searchParams.set('next', next.pathname + next.search + next.hash);
  url.hash = new URLSearchParams(fragment).toString();
  return url.href;
}

/** Where a browser goes that something was refused to. Other clients, and bugs, get the error itself. */
export function refusedAt(
  request: FastifyRequest,
  config: Config,
  { error, ...where }: Omit<Landing, 'error'> & { error: unknown },
): string {
  const refusal = refusalOf(error as Error);
  if (!isPage(request) || refusal.code === 'internal_error') throw error;
  request.refusal = refusal;
  return landing(config, { ...where, error: refusal.code });
}
