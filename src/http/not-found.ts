import type { FastifyInstance } from 'fastify';
import { Refusal } from '../rules/refusal.ts';
import { absoluteForm } from './host.ts';
import type { Count } from './limits.ts';

/** Replaces a path that cannot be decoded; it matches no route. */
const UNREADABLE = '/%25';

/**
 * For `rewriteUrl`: reduces a target in absolute form to its path (the host is checked later), and replaces paths
 * that cannot be decoded. The router runs no hooks for those, and they must be counted and logged too.
 */
export function readableUrl({ url = '/' }: { url?: string | undefined }): string {
  const path = absoluteForm(url)?.path ?? url;
  if (!path.includes('%')) return path;
  try {
    decodeURIComponent(path.split('?', 1)[0] as string);
    return path;
  } catch {
    return UNREADABLE;
  }
}

/** A route pattern as a regular expression for the path. */
const expressionOf = (url: string): RegExp =>
  new RegExp(
    `^${url
      .replace(/[.\\+^$]/g, '\\$&')
      .replace(/:\w+/g, '[^/]+')
      .replace('*', '.*')}$`,
  );

/** Responds 405 with `Allow` if the path has other methods, else 404. Both count towards the rate limit. */
export function registerNotFound(app: FastifyInstance, count: Count): void {
  // Before the body is read, so that unparseable bodies count too. Preflights are answered before their route's hooks.
  app.addHook('onRequest', (request, reply, done) => {
    if (!request.is404 && request.method !== 'OPTIONS') done();
    else count(request, reply).then(() => done(), done);
  });

  const methodsByUrl = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const methods = methodsByUrl.get(url) ?? new Set();
    for (const name of [method].flat()) methods.add(name);
    methodsByUrl.set(url, methods);
  });

  let table: { expression: RegExp; methods: Set<string> }[] = [];
  app.addHook('onReady', async () => {
    table = [...methodsByUrl].map(([url, methods]) => ({
      expression: expressionOf(url),
      methods,
    }));
  });

  app.setNotFoundHandler((request, reply) => {
    if (request.url === UNREADABLE && request.originalUrl !== UNREADABLE)
      throw new Refusal('bad_request');
    const path = request.url.split('?', 1)[0] as string;
    const known = table.find(({ expression }) => expression.test(path));
    if (known === undefined || known.methods.has(request.method)) throw new Refusal('not_found');
    reply.header('allow', [...known.methods].sort().join(', '));
    throw new Refusal('method_not_allowed');
  });
}
