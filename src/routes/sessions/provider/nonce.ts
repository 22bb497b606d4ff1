import { newNonce } from '../../../actions/factors/provider/id-token.ts';
import type { Context } from '../../../context.ts';
import type { App } from '../../../http/app-type.ts';
import { NonceAnswer, NonceRequest } from '../../../schemas/identity.ts';

export function nonceForIdToken(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/login/id-token/nonce',
    config: { access: 'public', tighterLimit: true, problems: ['not_found'] },
    schema: {
      operationId: 'nonceForIdToken',
      tags: ['Providers'],
      summary: 'Get a nonce for an ID token',
      description:
        'For an app that signs in with what the phone has, such as Sign in with Apple or Google. Valid for ten minutes, and for one ID token.',
      body: NonceRequest,
      response: { 200: NonceAnswer },
    },
    handler: async ({ body }) => newNonce(context, body.provider),
  });
}
