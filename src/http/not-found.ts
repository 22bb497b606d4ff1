import type { FastifyInstance } from 'fastify';
import { Refusal } from '../rules/refusal.ts';
import { absoluteForm } from './host.ts';
import type { Count } from './limits.ts';

/** What stands for a path that cannot be decoded: no route has it. */
const UNREADABLE = '/%25';

/**
 * For `rewriteUrl`: the path of a target in absolute form, whose host is checked later. And the router has no
 * hooks for what it cannot decode, so that is counted and logged like the rest.
 */
export function readableUrl({ url = '/' }: { url?: string | undefined }): string {
  const path = absoluteForm(url)?.path ?? url;
  try {
    decodeURIComponent(path.split('?', 1)[0] as string);
    return path;
  } catch {
    return UNREADABLE;
  }
}

/** A route's pattern as an expression on the path alone. */
const expressionOf = (url: string): RegExp =>
  new RegExp(
    `^${url
      .replace(/[.\\+^$]/g, '\\$&')
      .replace(/:\w+/g, '[^/]+')
      .replace('*', '.*')}$`,
  );

/** The route of CORS preflights, which is there for every path and says nothing about any. */
const PREFLIGHTS = '*';

/** Answers 405 with `Allow` where the path has other methods, 404 elsewhere; counted like any request. */
export function registerNotFound(app: FastifyInstance, count: Count): void {
  // Before the body is read: what cannot be parsed counts too. Preflights are answered before their route's hooks.
  app.addHook('onRequest', async (request, reply) => {
    if (request.is404 || request.method === 'OPTIONS') await count(request, reply);
  });

  const methodsByUrl = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    if (url === PREFLIGHTS) return;
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
