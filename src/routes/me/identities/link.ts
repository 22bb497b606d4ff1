import { assertRecent } from '../../../actions/accounts/recent.ts';
import { readIdToken } from '../../../actions/factors/provider/id-token.ts';
import { linkIdentity } from '../../../actions/factors/provider/my-identities.ts';
import type { Context } from '../../../context.ts';
import type { App } from '../../../http/app-type.ts';
import { logEvent } from '../../../http/logging.ts';
import { IdentityView, IdTokenLink } from '../../../schemas/identity.ts';

export function linkWithIdToken(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/me/identities',
    config: {
      access: 'person',
      tighterLimit: true,
      problems: [
        'step_up_required',
        'provider_refused',
        'email_unverified',
        'not_found',
        'identity_taken',
        'provider_unavailable',
        'unavailable',
      ],
    },
    schema: {
      operationId: 'linkWithIdToken',
      tags: ['Providers'],
      summary: 'Link an outside provider with an ID token',
      description:
        'From then on, the account at the provider signs in here. Takes what `/v1/login/id-token` takes. Needs a proof that is at most 15 minutes old, and a confirmed email address. The owner gets a mail.',
      body: IdTokenLink,
      response: { 201: IdentityView },
    },
    handler: async (request, reply) => {
      const { caller, body } = request;
      await assertRecent(context, caller);
      const read = await readIdToken(context, body);
      const { isNew } = await linkIdentity(context, caller, read);
      if (isNew) logEvent(request, 'identity.linked', { user: caller.sub });
      const { name } = context.providers.in(body.provider).settings;
      return reply.code(201).send({ provider: body.provider, name, linked: true });
    },
  });
}
