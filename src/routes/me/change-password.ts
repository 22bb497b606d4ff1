import { z } from 'zod';
import { changeCaller, proveCaller } from '../../actions/accounts/caller.ts';
import { tell } from '../../actions/accounts/letters.ts';
import { hashNewPassword } from '../../actions/accounts/new-password.ts';
import { deviceOf } from '../../actions/tokens/token-pair.ts';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { cookieOf, DEVICE_COOKIE } from '../../http/cookies.ts';
import { logEvent } from '../../http/logging.ts';
import { signalOf } from '../../http/source.ts';
import { answerTokens } from '../../http/tokens.ts';
import { randomId } from '../../parts/ids.ts';
import { Refusal } from '../../rules/refusal.ts';
import { liveSession, withOtherSessionsEndedAndTokensRevoked } from '../../rules/sessions.ts';
import { Password } from '../../schemas/fields.ts';
import { TokenAnswer } from '../../schemas/session.ts';
import type { Session } from '../../schemas/user.ts';

const Body = z.strictObject({ current_password: Password, new_password: Password }).meta({
  id: 'PasswordChange',
  description: 'The current password and the new one.',
  examples: [
    {
      current_password: 'correct horse battery staple',
      new_password: 'a lantern in the rainy harbour',
    },
  ],
});

export function changePassword(app: App, context: Context): void {
  app.route({
    method: 'PUT',
    url: '/v1/me/password',
    config: {
      headers: { 200: ['Set-Cookie'] },
      access: 'person',
      tighterLimit: true,
      problems: ['wrong_password', 'throttled', 'overloaded', 'unavailable'],
    },
    schema: {
      operationId: 'changePassword',
      tags: ['Me'],
      summary: 'Change your password',
      description:
        'Ends every other session. This session continues with the new tokens in the answer; its old tokens no longer work.',
      body: Body,
      response: { 200: TokenAnswer },
    },
    handler: async (request, reply) => {
      const { caller, body } = request;
      const signal = signalOf(reply);
      const proven = await proveCaller(context, caller, {
        password: body.current_password,
        signal,
      });
      const password_hash = await hashNewPassword(context, {
        password: body.new_password,
        email: proven.email,
        path: '/new_password',
        owner: proven,
        signal,
      });
      const { user, session } = await changeCaller(context, caller, (before, now) => {
        if (before.password_hash !== proven.password_hash) throw new Refusal('wrong_password');
        const next = withOtherSessionsEndedAndTokensRevoked(
          { ...before, password_hash },
          caller.sid,
          now,
        );
        return {
          user: next,
          result: { user: next, session: liveSession(next, caller.sid, now) as Session },
        };
      });
      tell(context, user, 'password.changed');
      logEvent(request, 'password.changed', { user: user.id, session: session.id });
      const known = deviceOf(context, user, cookieOf(request, DEVICE_COOKIE));
      return answerTokens(reply, context, { user, session, device: known ?? randomId() });
    },
  });
}
