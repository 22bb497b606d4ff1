import { z } from 'zod';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { etagOf, hasAnswer, IfNoneMatch } from '../../http/etag.ts';
import { KEY_SET_MAX_AGE } from '../../parts/keys/key-dates.ts';
import { PublicJwkSet } from '../../schemas/jwk.ts';
import { NoContent } from '../../schemas/session.ts';

export function keySet(app: App, { keys, clock }: Context): void {
  app.route({
    method: 'GET',
    url: '/.well-known/jwks.json',
    config: { access: 'public', headers: { 200: ['ETag'], 304: ['ETag'] } },
    schema: {
      operationId: 'getKeySet',
      tags: ['Discovery'],
      summary: 'Get the public keys',
      description:
        'The keys with which any service can verify access tokens. A new key is published before it signs its first token. Every JOSE library supports ES256, the default. jsonwebtoken, get-jwks, java-jwt and Microsoft.IdentityModel do not support EdDSA, and java-jwt does not support PS256.',
      headers: z.object(IfNoneMatch),
      response: {
        200: {
          description: 'The key set.',
          content: { 'application/jwk-set+json': { schema: PublicJwkSet } },
        },
        304: NoContent.describe('The keys have not changed.'),
      },
    },
    handler: async ({ headers }, reply) => {
      const set = keys.publicKeys(clock());
      const etag = etagOf(JSON.stringify(set));
      reply.headers({ 'cache-control': `public, max-age=${KEY_SET_MAX_AGE}`, etag });
      if (hasAnswer(headers, etag)) return reply.code(304).send(null);
      return reply.type('application/jwk-set+json').send(set);
    },
  });
}
