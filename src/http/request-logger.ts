import type { FastifyBaseLogger } from 'fastify';

type Options = Parameters<FastifyBaseLogger['child']>;
type Write = (...line: unknown[]) => void;

const METHODS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent', 'child'] as const;

/** A child logger that is made when it is first used. */
class Lazy {
  readonly #parent: FastifyBaseLogger;
  readonly #options: Options;
  #made: FastifyBaseLogger | undefined;

  constructor(parent: FastifyBaseLogger, options: Options) {
    this.#parent = parent;
    this.#options = options;
  }

  get own(): FastifyBaseLogger {
    this.#made ??= this.#parent.child(...this.#options);
    return this.#made;
  }
}

for (const method of METHODS) {
  Object.defineProperty(Lazy.prototype, method, {
    value(this: Lazy, ...line: unknown[]) {
      return (this.own[method] as Write)(...line);
    },
  });
}

/**
 * The logger of one request, which adds the request ID to each line. Most requests log only the line that
 * `logging.ts` writes with the ID in it, so most child loggers would never be used.
 */
export const requestLogger = (parent: FastifyBaseLogger, ...options: Options): FastifyBaseLogger =>
  new Lazy(parent, options) as unknown as FastifyBaseLogger;
