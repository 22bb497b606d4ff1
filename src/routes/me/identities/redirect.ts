import { departToLink } from '../../../actions/factors/provider/my-identities.ts';
import { REDIRECT_LIFE } from '../../../actions/factors/provider/redirect.ts';
import type { Context } from '../../../context.ts';
import type { App } from '../../../http/app-type.ts';
import { PROVIDER_COOKIE, setCookie } from '../../../http/cookies.ts';
import { startPage } from '../../../http/redirects.ts';
import { returnUrl } from '../../../rules/return-to.ts';
import { LinkRedirect, LinkRequest, ProviderPath } from '../../../schemas/identity.ts';

export function redirectToLink(app: App, context: Context): void {
  const { config } = context;
  app.route({
    method: 'POST',
    url: '/v1/me/identities/:provider/redirect',
    config: {
      headers: { 200: ['Set-Cookie'] },
      access: 'person',
      tighterLimit: true,
      problems: [
        'step_up_required',
        'email_unverified',
        'not_found',
        'provider_unavailable',
        'unavailable',
      ],
    },
    schema: {
      operationId: 'redirectToLink',
      tags: ['Providers'],
      summary: 'Link an outside provider in the browser',
      description:
        'Answers the URL where the user signs in, and sets a cookie with which this browser comes back to `return_to`. Send it with credentials (fetch: `credentials: "include"`), then open the URL. What goes wrong ends on the page `/account` of `APP_URL`, with the code in `?error=`. Needs a proof that is at most 15 minutes old, and a confirmed email address.',
      params: ProviderPath,
      body: LinkRequest,
      response: { 200: LinkRedirect },
    },
    handler: async ({ caller, params: { provider: slot }, body: { return_to } }, reply) => {
      const to = return_to === undefined ? startPage(config) : returnUrl(return_to, config);
      const { url, token } = await departToLink(context, caller, { slot, to });
      setCookie(reply, config, { name: PROVIDER_COOKIE, value: token, maxAge: REDIRECT_LIFE });
      return { url };
    },
  });
}
