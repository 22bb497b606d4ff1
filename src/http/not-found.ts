import type { FastifyInstance } from 'fastify';
import { Refusal } from '../domain/refusal.ts';

/** A route's pattern as an expression on the path alone. */
const expressionOf = (url: string): RegExp =>
  new RegExp(
    `^${url
      .replace(/[.\\+^$]/g, '\\$&')
      .replace(/:\w+/g, '[^/]+')
      .replace('*', '.*')}$`,
  );

/** Answers 405 with `Allow` where the path has other methods, 404 elsewhere; counted like any request. */
export function registerNotFound(app: FastifyInstance): void {
  const methodsByUrl = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const methods = methodsByUrl.get(url) ?? new Set();
    for (const name of [method].flat()) methods.add(name);
    methodsByUrl.set(url, methods);
  });

  let table: { expression: RegExp; allow: string }[] = [];
  app.addHook('onReady', async () => {
    table = [...methodsByUrl].map(([url, methods]) => ({
      expression: expressionOf(url),
      allow: [...methods].sort().join(', '),
    }));
  });

  app.setNotFoundHandler({ preHandler: app.rateLimit() }, (request, reply) => {
    const path = request.url.split('?', 1)[0] as string;
    const known = table.find(({ expression }) => expression.test(path));
    if (known === undefined) throw new Refusal('not_found');
    reply.header('allow', known.allow);
    throw new Refusal('method_not_allowed');
  });
}
