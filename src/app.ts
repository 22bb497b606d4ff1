import type { ServerOptions } from 'node:http';
import cookie from '@fastify/cookie';
import Fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import { serializerCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Context } from './context.ts';
import { registerAccess } from './http/access.ts';
import type { App } from './http/app-type.ts';
import { basePath } from './http/base-path.ts';
import { BODY_LIMIT, registerBodyParser } from './http/body.ts';
import { answerClientErrors, refuseTunnels } from './http/client-errors.ts';
import { registerCors } from './http/cors.ts';
import { registerLimits } from './http/limits.ts';
import { registerRequestLog, requestIds } from './http/logging.ts';
import { readableUrl, registerNotFound } from './http/not-found.ts';
import { registerDocs, registerOpenApi } from './http/openapi.ts';
import { registerProblems } from './http/problems.ts';
import { registerShutdown } from './http/shutdown.ts';
import { validatorCompiler } from './http/validation.ts';
import { registerHeaders, registerTransportChecks } from './http/wire.ts';
import { registerRoutes } from './routes/index.ts';

interface Surroundings {
  logger: FastifyBaseLogger;
  /** HTTPS without a proxy: PEM texts. */
  tls?: { cert: Buffer; key: Buffer } | undefined;
}

/** Bytes: Node's own limit for the headers together, and the path is one of them. */
const MAX_HEADERS = 16_384;

const SERVER = {
  headersTimeout: 10_000,
  /** Node looks for connections that are too slow only every 30 seconds unless told. */
  connectionsCheckingInterval: 1_000,
  /** Left alone, Node answers past every hook. `registerTransportChecks` refuses a request without one. */
  requireHostHeader: false,
};

/** The whole service, in the order in which a request goes through it. Opens no port. */
export async function buildApp(context: Context, { logger, tls }: Surroundings): Promise<App> {
  const { config } = context;
  // Fastify's types know a server by its option; both kinds answer alike.
  const server = (tls ? { https: { ...tls, ...SERVER } } : { http: SERVER }) as {
    http: ServerOptions;
  };
  const app = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: requestIds(),
    trustProxy: config.TRUST_PROXY.length > 0 && config.TRUST_PROXY,
    bodyLimit: BODY_LIMIT,
    requestTimeout: 15_000,
    connectionTimeout: 30_000,
    keepAliveTimeout: 72_000,
    ...server,
    clientErrorHandler: answerClientErrors(config),
    rewriteUrl: readableUrl,
    routerOptions: { maxParamLength: MAX_HEADERS },
    // Requests on connections that are open are still answered, by their routes: /readyz says that it ends.
    return503OnClosing: false,
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);

  registerProblems(app, config);
  registerRequestLog(app, context.metrics);
  await registerHeaders(app);
  registerShutdown(app, context.shutdown);
  refuseTunnels(app, config);
  const count = await registerLimits(app, config);
  registerTransportChecks(app, config, count);
  registerNotFound(app, count);
  await registerCors(app, config);
  await app.register(cookie);
  registerBodyParser(app);
  await registerOpenApi(app, config);
  await app.register(async (scope) => registerDocs(scope, config), { prefix: basePath(config) });
  registerAccess(app, context);
  registerRoutes(app, context);
  return app;
}
