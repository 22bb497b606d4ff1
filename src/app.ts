import type { ServerOptions } from 'node:http';
import Fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import { serializerCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Context } from './context.ts';
import { registerAccess } from './http/access.ts';
import type { App } from './http/app-type.ts';
import { basePath } from './http/base-path.ts';
import { BODY_LIMIT, registerBodyParser } from './http/body.ts';
import { answerClientErrors, refuseTunnels } from './http/client-errors.ts';
import { registerCors } from './http/cors.ts';
import { registerDocs } from './http/docs.ts';
import { registerDpop } from './http/dpop.ts';
import { registerHeaders } from './http/headers.ts';
import { registerLimits } from './http/limits.ts';
import { registerRequestLog, requestIds } from './http/logging.ts';
import { readableUrl, registerNotFound } from './http/not-found.ts';
import { registerDocument } from './http/openapi-file.ts';
import { registerProblems } from './http/problems.ts';
import { requestLogger } from './http/request-logger.ts';
import { registerShutdown } from './http/shutdown.ts';
import { registerTransportChecks } from './http/transport-checks.ts';
import { validatorCompiler } from './http/validation.ts';
import { registerRoutes } from './routes/index.ts';

interface Surroundings {
  logger: FastifyBaseLogger;
  /** Certificate and key (PEM), for HTTPS without a proxy. */
  tls?: { cert: Buffer; key: Buffer } | undefined;
  /** Registers the OpenAPI document, before the routes. */
  document?: typeof registerDocument;
}

/** Node's limit for all headers together, request line included (bytes). */
const MAX_HEADERS = 16_384;

const SERVER = {
  headersTimeout: 10_000,
  /** How often Node checks for slow connections (ms). Its default is 30 seconds. */
  connectionsCheckingInterval: 1_000,
  /** If true, Node would answer without running any hook. `registerTransportChecks` refuses a request without Host. */
  requireHostHeader: false,
};

/** Builds the whole service, in the order in which a request passes through it. Opens no port. */
export async function buildApp(context: Context, surroundings: Surroundings): Promise<App> {
  const { logger, tls, document = registerDocument } = surroundings;
  const { config } = context;
  // Fastify's types differ by this option; both servers behave the same.
  const server = (tls ? { https: { ...tls, ...SERVER } } : { http: SERVER }) as {
    http: ServerOptions;
  };
  const app = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: requestIds(),
    childLoggerFactory: requestLogger,
    trustProxy: config.TRUST_PROXY.length > 0 && config.TRUST_PROXY,
    bodyLimit: BODY_LIMIT,
    requestTimeout: 15_000,
    connectionTimeout: 30_000,
    keepAliveTimeout: 72_000,
    ...server,
    clientErrorHandler: answerClientErrors(config),
    rewriteUrl: readableUrl,
    routerOptions: { maxParamLength: MAX_HEADERS },
    // During shutdown, routes still answer requests on open connections; /readyz reports the shutdown.
    return503OnClosing: false,
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);

  registerProblems(app, config);
  registerRequestLog(app, context);
  registerHeaders(app);
  registerShutdown(app, context.shutdown);
  refuseTunnels(app, config);
  const count = await registerLimits(app, context);
  registerTransportChecks(app, config, count);
  registerNotFound(app, count);
  registerCors(app, config);
  registerBodyParser(app);
  registerAccess(app, context);
  registerDpop(app, context);
  await document(app, config);
  await app.register(async (scope) => registerDocs(scope, config), { prefix: basePath(config) });
  registerRoutes(app, context);
  return app;
}
