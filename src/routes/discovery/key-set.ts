import { createHash } from 'node:crypto';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { KEY_SET_MAX_AGE } from '../../parts/keys/key-dates.ts';
import { PublicJwkSet } from '../../schemas/jwk.ts';

export function keySet(app: App, { keys, clock }: Context): void {
  app.route({
    method: 'GET',
    url: '/.well-known/jwks.json',
    config: { access: 'public', headers: { 200: ['ETag'] } },
    schema: {
      operationId: 'getKeySet',
      tags: ['Discovery'],
      summary: 'Get the public keys',
      description:
        'The keys with which any service can verify access tokens. A new key is published before it signs its first token. Every JOSE library supports ES256, the default. jsonwebtoken, get-jwks, java-jwt and Microsoft.IdentityModel do not support EdDSA, and java-jwt does not support PS256.',
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
        .headers({ 'cache-control': `public, max-age=${KEY_SET_MAX_AGE}`, etag: `"${etag}"` })
        .send(set);
    },
  });
}
