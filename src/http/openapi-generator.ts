import swagger from '@fastify/swagger';
import type { FastifyInstance, RouteOptions } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Config } from '../config.ts';
import { MAX_TOKEN_LENGTH } from '../parts/tokens/compact-jws.ts';
import type { ProblemCode } from '../schemas/problem.ts';
import { type Access, needsBearer } from './access.ts';
import { basePath } from './base-path.ts';
import { PROVIDER_COOKIE, REFRESH_COOKIE } from './cookies.ts';
import { type Declared, finished, type Made } from './openapi-document.ts';
import { ownPartOf } from './openapi-file.ts';
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
    name: 'Providers',
    description: 'Outside providers (OpenID Connect): sign in with them, and link them.',
  },
  { name: 'Passkeys', description: 'Passkeys (WebAuthn): sign in with them, and manage them.' },
  {
    name: 'Administration',
    description: 'What an administrator does with users and service accounts.',
  },
  {
    name: 'OAuth',
    description: 'The standard endpoints for tokens, for service accounts and OAuth libraries.',
  },
  {
    name: 'Clients',
    description: 'The browser module for pages and apps.',
  },
  {
    name: 'Discovery',
    description: 'What other services and tools read: keys, metadata, and explanations of errors.',
  },
  { name: 'Health', description: 'What load balancers and container platforms read.' },
];

const securityOf = (access: Access): Record<string, string[]>[] => {
  if (needsBearer(access)) return [{ bearer: [] }, { dpop: [] }];
  if (access === 'client') return [{ client: [] }, {}];
  return access === 'public' ? [] : [{}];
};

const bearerProblems = (access: Access): ProblemCode[] => [
  'token_missing',
  'token_expired',
  'token_revoked',
  'token_invalid',
  'token_bound',
  'invalid_dpop_proof',
  'use_dpop_nonce',
  ...(access === 'bearer' ? [] : (['forbidden'] as const)),
  ...(typeof access === 'object' ? (['unavailable'] as const) : []),
];

const READS = new Set(['GET', 'HEAD']);

function problemsOf({ method, config = {}, schema = {} }: RouteOptions): ProblemCode[] {
  return [
    ...(config.problems ?? []),
    ...(config.takesDpopProof ? (['invalid_dpop_proof', 'use_dpop_nonce'] as const) : []),
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

/** The request headers of a route that takes a DPoP proof. */
const withProof = (headers: z.ZodObject = z.object({})) =>
  headers.extend({
    dpop: z
      .string()
      .max(MAX_TOKEN_LENGTH)
      .optional()
      .describe(
        'A DPoP proof (RFC 9449). It binds the session to its key: the access tokens count only with proofs of that key, and so does the refresh token.',
      ),
    prefer: z
      .string()
      .optional()
      .describe(
        '`token_type=Bearer`, with a DPoP proof: only the refresh token is bound, and the access tokens are bearer tokens.',
      ),
  });

/** Writes down what a route's configuration already says: who may call it, and every way it can refuse. */
function describeRoute(
  route: RouteOptions,
  { base, declared }: { base: string; declared: Declared },
): void {
  const { schema, config, method, url } = route;
  if (schema === undefined || schema.hide || config?.access === undefined) return;
  if (config.takesDpopProof) schema.headers = withProof(schema.headers as z.ZodObject | undefined);
  // A copy: shared ones would be anchors in the YAML.
  schema.security ??= structuredClone(securityOf(config.access));
  // RFC 6749 has its own answers, which its routes declare.
  const codes = schema.consumes ? [] : [...new Set(problemsOf(route))];
  schema.response = { ...(schema.response as object), ...problemResponses(codes) };
  // One place for both methods of a GET route.
  const name = method === 'HEAD' ? 'get' : String(method).toLowerCase();
  const operation = `${name} ${url.slice(base.length).replaceAll(/:(\w+)/g, '{$1}')}`;
  declared.set(operation, { headers: config.headers, codes });
}

/** Collects the routes that are registered later into one OpenAPI 3.1 document, in place of the committed one. */
export async function generateDocument(app: FastifyInstance, config: Config): Promise<void> {
  const declared: Declared = new Map();
  const base = basePath(config);
  app.addHook('onRoute', (route) => describeRoute(route, { base, declared }));
  await app.register(swagger, {
    openapi: {
      ...ownPartOf(config),
      tags,
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
          dpop: {
            type: 'http',
            scheme: 'DPoP',
            description:
              'An access token that is bound to a key, with a new proof in the header DPoP for each request (RFC 9449 section 7.1).',
          },
          client: {
            type: 'http',
            scheme: 'basic',
            description: 'client_id and client_secret of a service account.',
          },
          refreshCookie: { type: 'apiKey', in: 'cookie', name: REFRESH_COOKIE },
          providerCookie: { type: 'apiKey', in: 'cookie', name: PROVIDER_COOKIE },
        },
      },
    },
    transform: jsonSchemaTransform,
    transformObject: (document) =>
      finished(jsonSchemaTransformObject(document) as unknown as Made, declared) as object,
  });
}
