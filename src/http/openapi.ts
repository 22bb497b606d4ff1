import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance, RouteOptions } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { Config } from '../config.ts';
import { escaped } from '../parts/mail/letter.ts';
import type { ProblemCode } from '../schemas/problem.ts';
import { type Access, needsBearer } from './access.ts';
import { basePath } from './base-path.ts';
import { REFRESH_COOKIE } from './cookies.ts';
import { type Declared, finished, type Made } from './openapi-document.ts';
import { VIEWPORT } from './page.ts';
import { problemResponses } from './problem-responses.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the route itself refuses with. What its access, its body and the limits bring is added. */
    problems?: ProblemCode[];
  }
}

const tags = [
  { name: 'Accounts', description: 'Sign up, verify an address, and reset a password.' },
  { name: 'Sessions', description: 'Sign in, refresh the tokens, and sign out.' },
  { name: 'Me', description: 'What signed-in users do with their own account.' },
  {
    name: 'Administration',
    description: 'What an administrator does with users and service accounts.',
  },
  {
    name: 'OAuth',
    description: 'The standard endpoints for tokens, for service accounts and OAuth libraries.',
  },
  {
    name: 'Discovery',
    description: 'What other services and tools read: keys, metadata, and explanations of errors.',
  },
  { name: 'Health', description: 'What load balancers and container platforms read.' },
];

const securityOf = (access: Access): Record<string, string[]>[] => {
  if (needsBearer(access)) return [{ bearer: [] }];
  if (access === 'client') return [{ client: [] }, {}];
  return access === 'public' ? [] : [{}];
};

const bearerProblems = (access: Access): ProblemCode[] => [
  'token_missing',
  'token_expired',
  'token_revoked',
  'token_invalid',
  ...(access === 'bearer' ? [] : (['forbidden'] as const)),
  ...(typeof access === 'object' ? (['unavailable'] as const) : []),
];

const READS = new Set(['GET', 'HEAD']);

function problemsOf({ method, config = {}, schema = {} }: RouteOptions): ProblemCode[] {
  return [
    ...(config.problems ?? []),
    ...(config.access && needsBearer(config.access) ? bearerProblems(config.access) : []),
    ...([method].flat().every((name) => READS.has(name))
      ? []
      : (['malformed_json', 'body_too_large', 'unsupported_media_type'] as const)),
    ...(schema.body ? (['invalid_input'] as const) : []),
    'bad_request',
    'https_required',
    'rate_limited',
    'internal_error',
  ];
}

/** Writes down what a route's configuration already says: who may call it, and every way it can refuse. */
function describeRoute(route: RouteOptions, declared: Declared): void {
  const { schema, config, method, url } = route;
  if (schema === undefined || schema.hide || config?.access === undefined) return;
  // A copy: shared ones would be anchors in the YAML.
  schema.security ??= structuredClone(securityOf(config.access));
  // RFC 6749 has its own answers, which its routes declare.
  const codes = schema.consumes ? [] : [...new Set(problemsOf(route))];
  schema.response = { ...(schema.response as object), ...problemResponses(codes) };
  // One place for both methods of a GET route.
  const name = method === 'HEAD' ? 'get' : String(method).toLowerCase();
  const operation = `${name} ${url.replaceAll(/:(\w+)/g, '{$1}')}`;
  declared.set(operation, { headers: config.headers, codes });
}

/** Collects the routes that are registered later into one OpenAPI 3.1 document. */
export async function registerOpenApi(app: FastifyInstance, config: Config): Promise<void> {
  const declared: Declared = new Map();
  app.addHook('onRoute', (route) => describeRoute(route, declared));
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: config.PRODUCT_NAME,
        version: '1',
        description: 'Knows who a user is, and says so in a signed token that lives 15 minutes.',
        license: { name: 'MIT', identifier: 'MIT' },
        contact: { name: `The people who run ${config.PRODUCT_NAME}` },
      },
      servers: [{ url: basePath(config) || '/', description: 'This server.' }],
      tags,
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
          client: {
            type: 'http',
            scheme: 'basic',
            description: 'client_id and client_secret of a service account.',
          },
          refreshCookie: { type: 'apiKey', in: 'cookie', name: REFRESH_COOKIE },
        },
      },
    },
    transform: jsonSchemaTransform,
    transformObject: (document) =>
      finished(jsonSchemaTransformObject(document) as unknown as Made, declared) as object,
  });
}

/** On a phone a table of answers is wider than the screen: it scrolls by itself, and the page does not. */
const SCROLLING = '<style>.swagger-ui .responses-wrapper { overflow-x: auto }</style>';

/** The page as its package makes it, and a line that phones need. */
const onPhones = (page: string): string =>
  page.replace(
    '<meta charset="UTF-8">',
    (charset) => `${charset}\n      ${VIEWPORT}\n      ${SCROLLING}`,
  );

/** The interactive page, from files of this server alone; the one place whose CSP allows scripts. */
export async function registerDocs(app: FastifyInstance, config: Config): Promise<void> {
  app.addHook('onSend', async (_request, reply, payload) => {
    const isPage = String(reply.getHeader('content-type')).startsWith('text/html');
    return isPage && typeof payload === 'string' ? onPhones(payload) : payload;
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    indexPrefix: basePath(config),
    staticCSP: true,
    theme: { title: escaped(`${config.PRODUCT_NAME} API`) },
    transformStaticCSP: () =>
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    uiConfig: {
      // Without the bar that asks for the address of another document.
      layout: 'BaseLayout',
      persistAuthorization: false,
      validatorUrl: null,
      docExpansion: 'list',
    },
  });
  app.get(
    '/openapi.yaml',
    { config: { access: 'public' }, schema: { hide: true } },
    (_request, reply) => reply.type('application/yaml').send(app.swagger({ yaml: true })),
  );
}
