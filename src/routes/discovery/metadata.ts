import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Config } from '../../config.ts';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { DPOP_ALGORITHMS } from '../../schemas/dpop.ts';

/** RFC 8414 section 2, RFC 9449 section 5.1. */
export const Metadata = z
  .object({
    issuer: z.string(),
    jwks_uri: z.string(),
    token_endpoint: z.string(),
    introspection_endpoint: z.string(),
    revocation_endpoint: z.string(),
    token_endpoint_auth_methods_supported: z.array(z.string()),
    introspection_endpoint_auth_methods_supported: z.array(z.string()),
    revocation_endpoint_auth_methods_supported: z.array(z.string()),
    response_types_supported: z.array(z.string()),
    grant_types_supported: z.array(z.string()),
    dpop_signing_alg_values_supported: z.array(z.string()),
    global_token_revocation_endpoint: z.string().optional(),
    global_token_revocation_endpoint_auth_methods_supported: z.array(z.string()).optional(),
    revocations_uri: z.string().optional(),
    service_documentation: z.string(),
  })
  .meta({
    id: 'Metadata',
    description: 'The endpoints and what they support.',
    examples: [
      {
        issuer: 'https://auth.example.com',
        jwks_uri: 'https://auth.example.com/.well-known/jwks.json',
        token_endpoint: 'https://auth.example.com/oauth/token',
        introspection_endpoint: 'https://auth.example.com/oauth/introspect',
        revocation_endpoint: 'https://auth.example.com/oauth/revoke',
        token_endpoint_auth_methods_supported: ['client_secret_basic'],
        introspection_endpoint_auth_methods_supported: ['client_secret_basic'],
        revocation_endpoint_auth_methods_supported: ['client_secret_basic'],
        response_types_supported: [],
        grant_types_supported: ['client_credentials', 'refresh_token'],
        dpop_signing_alg_values_supported: ['ES256'],
        global_token_revocation_endpoint: 'https://auth.example.com/v1/global-token-revocation',
        global_token_revocation_endpoint_auth_methods_supported: ['Bearer'],
        revocations_uri: 'https://auth.example.com/.well-known/revocations',
        service_documentation: 'https://auth.example.com/docs',
      },
    ],
  });

export const WELL_KNOWN = '/.well-known/oauth-authorization-server';

const documentOf = ({ ISSUER }: Config) => ({
  issuer: ISSUER,
  jwks_uri: `${ISSUER}/.well-known/jwks.json`,
  token_endpoint: `${ISSUER}/oauth/token`,
  introspection_endpoint: `${ISSUER}/oauth/introspect`,
  revocation_endpoint: `${ISSUER}/oauth/revoke`,
  token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
  introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
  revocation_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
  response_types_supported: [],
  grant_types_supported: ['client_credentials', 'refresh_token'],
  dpop_signing_alg_values_supported: [...DPOP_ALGORITHMS],
  global_token_revocation_endpoint: `${ISSUER}/v1/global-token-revocation`,
  // A type of access token (RFC 6750), in place of a method of client authentication.
  global_token_revocation_endpoint_auth_methods_supported: ['Bearer'],
  revocations_uri: `${ISSUER}/.well-known/revocations`,
  service_documentation: `${ISSUER}/docs`,
});

export const answerMetadata = (config: Config) => {
  const document = documentOf(config);
  return async (_request: unknown, reply: FastifyReply) =>
    reply.header('cache-control', 'public, max-age=300').send(document);
};

export function metadata(app: App, { config }: Context): void {
  app.route({
    method: 'GET',
    url: WELL_KNOWN,
    config: { access: 'public' },
    schema: {
      operationId: 'getMetadata',
      tags: ['Discovery'],
      summary: 'Get the server metadata (RFC 8414)',
      description:
        'The issuer, and the addresses of the key set and of the OAuth endpoints. OAuth libraries configure themselves from it.',
      response: { 200: Metadata },
    },
    handler: answerMetadata(config),
  });
}
