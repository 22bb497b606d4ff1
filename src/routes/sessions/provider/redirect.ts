import { depart, REDIRECT_LIFE } from '../../../actions/factors/provider/redirect.ts';
import type { Context } from '../../../context.ts';
import type { App } from '../../../http/app-type.ts';
import { cookieOf, DEVICE_COOKIE, PROVIDER_COOKIE, setCookie } from '../../../http/cookies.ts';
import { refusedAt, startPage } from '../../../http/redirects.ts';
import { returnUrl } from '../../../rules/return-to.ts';
import { ProviderPath, RedirectQuery } from '../../../schemas/identity.ts';
import { NoContent } from '../../../schemas/session.ts';
import { isSlot } from '../../../schemas/slots.ts';

export function redirectToProvider(app: App, context: Context): void {
  const { config } = context;
  app.route({
    method: 'GET',
    url: '/v1/login/:provider',
    config: {
      headers: { 303: ['Location', 'Set-Cookie'] },
      access: 'public',
      tighterLimit: true,
      problems: ['not_found', 'invalid_input', 'ambiguous_credentials', 'provider_unavailable'],
    },
    schema: {
      operationId: 'redirectToProvider',
      tags: ['Providers'],
      summary: 'Sign in with an outside provider',
      description:
        'For a link or a button: sends the browser to the provider, and from there to `return_to`, signed in with cookies. If something goes wrong, a browser ends on the page `/login` of `APP_URL`, with the code in `?error=`; other clients get a problem. If the account has a second factor, it ends there with `#mfa_token=…&methods=…` for `/v1/login/mfa`.',
      params: ProviderPath,
      querystring: RedirectQuery,
      response: { 303: NoContent.describe('On to the provider.') },
    },
    // The last word of a sibling, such as `mfa`, has another method. Before its query can be refused.
    preValidation: async (request, reply) => {
      if (!isSlot(request.params.provider)) return reply.callNotFound();
    },
    handler: async (request, reply) => {
      const { provider: slot } = request.params;
      context.providers.in(slot);
      const { return_to } = request.query;
      const to = return_to === undefined ? startPage(config) : returnUrl(return_to, config);
      try {
        const deviceToken = cookieOf(request, DEVICE_COOKIE);
        const { url, token } = await depart(context, { slot, to, deviceToken });
        setCookie(reply, config, { name: PROVIDER_COOKIE, value: token, maxAge: REDIRECT_LIFE });
        return await reply.redirect(url, 303);
      } catch (error) {
        return reply.redirect(refusedAt(request, config, { page: 'login', to, error }), 303);
      }
    },
  });
}
