import { z } from 'zod';
import { confirmEnrolment } from '../../../actions/factors/totp/enrolment.ts';
import type { Context } from '../../../context.ts';
import type { App } from '../../../http/app-type.ts';
import { logEvent } from '../../../http/logging.ts';
import { Code } from '../../../schemas/fields.ts';
import { RecoveryCodes } from '../../../schemas/second-factor.ts';

export function confirmTotp(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/me/mfa/totp/confirm',
    config: {
      access: 'person',
      tighterLimit: true,
      problems: [
        'wrong_code',
        'overloaded',
        'email_unverified',
        'mfa_enabled',
        'mfa_not_enabled',
        'unavailable',
      ],
    },
    schema: {
      operationId: 'confirmTotp',
      tags: ['Me'],
      summary: 'Turn on the second factor',
      description:
        'Takes a code from the authenticator app. Answers ten recovery codes, which are shown only once. Ends every other session. After five wrong codes, start the enrolment again.',
      body: z.strictObject({ code: Code }).meta({
        id: 'TotpCode',
        description: 'A code from the authenticator app.',
        examples: [{ code: '492039' }],
      }),
      response: { 200: RecoveryCodes },
    },
    handler: async (request) => {
      const recovery_codes = await confirmEnrolment(context, request.caller, request.body.code);
      logEvent(request, 'mfa.enabled', { user: request.caller.sub });
      return { recovery_codes };
    },
  });
}
