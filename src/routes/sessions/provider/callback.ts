import type { FastifyRequest } from 'fastify';
import { linkIdentity } from '../../../actions/factors/provider/my-identities.ts';
import { comeBack, type Journey, journeyOf } from '../../../actions/factors/provider/redirect.ts';
import { PROVIDER_AMR, signInWithIdentity } from '../../../actions/factors/provider/sign-in.ts';
import type { Context } from '../../../context.ts';
import type { App } from '../../../http/app-type.ts';
import { cookieOf, PROVIDER_COOKIE, setCookie } from '../../../http/cookies.ts';
import { logEvent } from '../../../http/logging.ts';
import {
  challengeOf,
  reportArrival,
  reportRefusedArrival,
} from '../../../http/provider-sign-in.ts';
import { landing, refusedAt } from '../../../http/redirects.ts';
import { signInOf } from '../../../http/sign-in.ts';
import { answerTokens } from '../../../http/tokens.ts';
import { ProviderPath } from '../../../schemas/identity.ts';
import { NoContent } from '../../../schemas/session.ts';

const queryOf = ({ url }: FastifyRequest): string => url.slice(url.indexOf('?'));

export function comeBackFromProvider(app: App, context: Context): void {
  const { config } = context;

  /** Links the account at the provider. Returns where to go. */
  async function link(
    request: FastifyRequest,
    journey: Journey,
    caller: NonNullable<Journey['link']>,
  ): Promise<string> {
    try {
      const identity = await comeBack(context, journey, queryOf(request));
      const { user, isNew } = await linkIdentity(context, caller, { identity });
      if (isNew) logEvent(request, 'identity.linked', { user: user.id });
      return journey.to;
    } catch (error) {
      return refusedAt(request, config, { page: 'account', error });
    }
  }

  app.route({
    method: 'GET',
    url: '/v1/login/:provider/callback',
    config: {
      headers: { 303: ['Location', 'Set-Cookie'] },
      access: 'checked-by-handler',
      tighterLimit: true,
      problems: [
        'not_found',
        'ambiguous_credentials',
        'token_revoked',
        'provider_refused',
        'provider_unlinked',
        'identity_taken',
        'email_unverified',
        'sign_up_closed',
        'provider_unavailable',
        'unavailable',
      ],
    },
    schema: {
      operationId: 'comeBackFromProvider',
      tags: ['Providers'],
      summary: 'Come back from an outside provider',
      description:
        'Where the provider sends the browser. Register this URL there. Only the browser that left for the provider can come back. See `/v1/login/{provider}` for where it goes then.',
      params: ProviderPath,
      response: { 303: NoContent.describe('Signed in, or back to the page to sign in.') },
    },
    handler: async (request, reply) => {
      const { provider: slot } = request.params;
      context.providers.in(slot);
      const on = (url: string) => reply.redirect(url, 303);
      let to: string | undefined;
      try {
        const token = cookieOf(request, PROVIDER_COOKIE) ?? '';
        // Whatever comes of it, the way back is gone once.
        if (token !== '') setCookie(reply, config, { name: PROVIDER_COOKIE, value: '', maxAge: 0 });
        const journey = journeyOf(context, slot, token);
        if (journey.link !== undefined) return await on(await link(request, journey, journey.link));
        to = journey.to;
        const identity = await comeBack(context, journey, queryOf(request));
        const { deviceToken } = journey;
        const signIn = signInOf(request, 'cookie', PROVIDER_AMR);
        const arrived = await signInWithIdentity(context, { identity, deviceToken }, signIn);
        reportArrival(request, context, arrived);
        const { who } = arrived;
        if (who.session !== undefined) {
          answerTokens(reply, context, who);
          return await on(to);
        }
        const { mfa_token, methods } = challengeOf(context, who, 'cookie');
        const fragment = { mfa_token, methods: methods.join() };
        return await on(landing(config, { page: 'login', to, fragment }));
      } catch (error) {
        reportRefusedArrival(request, context, error);
        return on(refusedAt(request, config, { page: 'login', to, error }));
      }
    },
  });
}
