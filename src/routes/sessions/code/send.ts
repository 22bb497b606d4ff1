import { sendMailCode as send } from '../../../actions/factors/mail-code/send.ts';
import type { Context } from '../../../context.ts';
import type { App } from '../../../http/app-type.ts';
import { cookieOf, DEVICE_COOKIE } from '../../../http/cookies.ts';
import { evenly } from '../../../http/even-time.ts';
import { deviceNameOf } from '../../../http/sign-in.ts';
import { networkOfLetter } from '../../../http/source.ts';
import { MailCodeRequest, SentMailCode } from '../../../schemas/mail-code.ts';

export function sendMailCode(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/login/code',
    config: {
      access: 'public',
      tighterLimit: true,
      problems: ['ambiguous_credentials', 'unavailable'],
    },
    schema: {
      operationId: 'sendMailCode',
      tags: ['Sessions'],
      summary: 'Ask for a code by mail',
      description:
        'Mails a code of eight digits if the address has an account. The answer is the same for every address. The code works for ten minutes and five tries, and only with the `code_token` of this answer. A mailbox gets three such mails an hour for each network that asks, twelve for all networks, and then one every ten minutes at most.',
      body: MailCodeRequest,
      response: { 202: SentMailCode },
    },
    handler: async (request, reply) => {
      const { email, device_token } = request.body;
      const deviceToken = device_token ?? cookieOf(request, DEVICE_COOKIE);
      const asked = {
        email,
        network: networkOfLetter(request),
        deviceToken,
        client: deviceNameOf(request),
      };
      return reply.code(202).send(await evenly(send(context, asked), context.pace));
    },
  });
}
