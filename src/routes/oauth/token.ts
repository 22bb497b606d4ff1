import { issueForServiceAccount, scopeOf } from '../../actions/clients/client-credentials.ts';
import { refreshSession } from '../../actions/sessions/refresh.ts';
import { audienceOf } from '../../actions/tokens/audience.ts';
import { issuePair } from '../../actions/tokens/token-pair.ts';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { wrongSessionKey } from '../../http/dpop.ts';
import { authenticatedClient, authenticatedClientIfAny, oauthResponses } from '../../http/oauth.ts';
import { reportRefresh } from '../../http/refreshes.ts';
import { reportSignIn } from '../../http/sign-in.ts';
import { OAuthRefusal } from '../../rules/oauth-refusal.ts';
import { OAuthTokens, TokenRequest } from '../../schemas/oauth.ts';

/** Counts a sign-in with wrong credentials. A fault, and a request that is malformed, have not checked anything. */
function countRefused({ metrics }: Context, error: unknown): void {
  if (error instanceof OAuthRefusal && error.code === 'invalid_client')
    metrics.signIns.inc({ way: 'client_secret', result: 'refused' });
}

export function issueToken(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/oauth/token',
    config: { access: 'checked-by-handler', takesDpopProof: true, tighterLimit: true },
    schema: {
      operationId: 'issueToken',
      tags: ['OAuth'],
      summary: 'Get a token (RFC 6749)',
      description:
        '`client_credentials` is for service accounts. `refresh_token` renews the session of a user, as `/v1/refresh` does. `resource` (RFC 8707) names whom the token is for, once.',
      security: [{ client: [] }, {}],
      consumes: ['application/x-www-form-urlencoded'],
      body: TokenRequest,
      response: { 200: OAuthTokens, ...oauthResponses },
    },
    handler: async (request, reply) => {
      const { body } = request;
      reply.header('pragma', 'no-cache');
      switch (body.grant_type) {
        case 'client_credentials': {
          const client = await authenticatedClient(request, body, context).catch(
            (error: unknown) => {
              countRefused(context, error);
              throw error;
            },
          );
          const { scope, resource } = body;
          const audience = audienceOf(context, resource);
          reportSignIn(request, context, {
            way: 'client_secret',
            result: 'ok',
            event: 'client.token_issued',
            user: client.id,
          });
          return issueForServiceAccount(context, client, {
            scope,
            audience,
            ...request.binding,
          });
        }
        case 'refresh_token': {
          if (body.refresh_token === undefined)
            throw new OAuthRefusal('invalid_request', 'refresh_token is required.');
          // Service accounts get no refresh tokens, so the token belongs to somebody else.
          if (await authenticatedClientIfAny(request, body, context))
            throw new OAuthRefusal('invalid_grant', 'The token was not issued to this client.');
          const audience = audienceOf(context, body.resource);
          const rotation = await refreshSession(context, {
            token: body.refresh_token,
            transport: 'body',
            idempotencyKey: undefined,
            jkt: request.binding.jkt,
          });
          reportRefresh(request, context, rotation);
          if (rotation.outcome === 'unproven') throw wrongSessionKey();
          if (rotation.outcome === 'reused' || rotation.outcome === 'invalid') {
            throw new OAuthRefusal(
              'invalid_grant',
              'The session is unknown, has ended or has expired.',
            );
          }
          const pair = issuePair(context, { ...rotation, audience });
          const { access_token, token_type, expires_in, refresh_token } = pair;
          const scope = scopeOf(rotation.user.roles);
          return { access_token, token_type, expires_in, scope, refresh_token };
        }
        default:
          throw new OAuthRefusal(
            'unsupported_grant_type',
            'The supported grant types are client_credentials and refresh_token.',
          );
      }
    },
  });
}
