import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { AccessClaims } from '../../schemas/claims.ts';

export function whoami(app: App, { accessTokens }: Context): void {
  app.route({
    method: 'GET',
    url: '/v1/whoami',
    config: {
      access: 'bearer',
      headers: { 200: ['X-Auth-Subject', 'X-Auth-Roles', 'X-Auth-Session'] },
    },
    schema: {
      operationId: 'whoami',
      tags: ['Sessions'],
      summary: 'Get the verified claims',
      description:
        'Checks the access token without reading the database. The headers `X-Auth-Subject`, `X-Auth-Roles` and `X-Auth-Session` repeat the claims, for nginx `auth_request`, Traefik and Envoy.',
      response: { 200: AccessClaims },
    },
    handler: ({ caller }, reply) => {
      reply
        .header('x-auth-subject', caller.sub)
        .header('x-auth-roles', caller.roles.join(','))
        .header('x-auth-session', caller.sid)
        .header('content-type', 'application/json; charset=utf-8')
        // The schema of the response has already parsed these claims, when the token was verified.
        .send(accessTokens.textOf(caller) as unknown as AccessClaims);
    },
  });
}
