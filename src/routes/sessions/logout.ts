import { revokeByClaims } from '../../actions/clients/token-holder.ts';
import type { Context } from '../../context.ts';
import { claimsOf } from '../../http/access-token.ts';
import type { App } from '../../http/app-type.ts';
import { clearRefreshCookie } from '../../http/cookies.ts';
import { logEvent } from '../../http/logging.ts';
import { presentedRefresh } from '../../http/tokens.ts';
import { Refusal } from '../../rules/refusal.ts';
import type { AccessClaims } from '../../schemas/claims.ts';
import { NoContent, RefreshBody } from '../../schemas/session.ts';

export function logout(app: App, context: Context): void {
  const { ownTokens } = context;
  app.route({
    method: 'POST',
    url: '/v1/logout',
    config: {
      headers: { 204: ['Set-Cookie'] },
      access: 'checked-by-handler',
      problems: [
        'token_missing',
        'token_expired',
        'token_invalid',
        'token_bound',
        'invalid_dpop_proof',
        'use_dpop_nonce',
        'ambiguous_credentials',
        'origin_forbidden',
        'unavailable',
      ],
    },
    schema: {
      operationId: 'logout',
      tags: ['Sessions'],
      summary: 'Sign out',
      description:
        'Ends the session of the refresh token (in the body or the cookie) or of the access token. The answer is the same if the session has already ended.',
      security: [{ bearer: [] }, { dpop: [] }, { refreshCookie: [] }, {}],
      body: RefreshBody,
      response: { 204: NoContent.describe('The session has ended.') },
    },
    handler: async (request, reply) => {
      const presented = presentedRefresh(request, request.body, context);
      const refresh = presented && ownTokens.read('refresh', presented.token);
      if (presented?.transport === 'cookie') clearRefreshCookie(reply, context.config);
      // If the refresh token ended no session, the access token may.
      if (!(refresh && (await signOut(refresh)))) {
        const bearer = sessionOfBearer(presented !== undefined);
        if (bearer) await signOut(bearer);
      }
      return reply.code(204).send(null);

      async function signOut(claims: Pick<AccessClaims, 'sub' | 'sid' | 'ver'>) {
        const changed = await revokeByClaims(context, claims);
        if (changed) logEvent(request, 'session.ended', { user: claims.sub, session: claims.sid });
        return changed;
      }

      function sessionOfBearer(isOptional: boolean) {
        try {
          return claimsOf(request, reply, { context, read: 'readEvenRevoked' });
        } catch (error) {
          if (isOptional && error instanceof Refusal) return undefined;
          throw error;
        }
      }
    },
  });
}
