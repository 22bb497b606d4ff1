import { createHash } from 'node:crypto';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { PublicJwkSet } from '../../schemas/jwk.ts';

export function keySet(app: App, { keys, clock }: Context): void {
  app.route({
    method: 'GET',
    url: '/.well-known/jwks.json',
    config: { access: 'public', headers: { 200: ['ETag'] } },
    schema: {
      operationId: 'keySet',
      tags: ['Discovery'],
      summary: 'The public keys',
      description:
        'All that another service needs to verify an access token. A key is here before it signs. Any JOSE library reads ES256, the default. EdDSA is not read by jsonwebtoken, get-jwks, java-jwt and Microsoft.IdentityModel, and PS256 not by java-jwt.',
      response: {
        200: {
          description: 'The key set.',
          content: { 'application/jwk-set+json': { schema: PublicJwkSet } },
        },
      },
    },
    handler: async (_request, reply) => {
      const set = keys.publicKeys(clock());
      const etag = createHash('sha256').update(JSON.stringify(set)).digest('base64url');
      return reply
        .type('application/jwk-set+json')
        .headers({ 'cache-control': 'public, max-age=300', etag: `"${etag}"` })
        .send(set);
    },
  });
}
