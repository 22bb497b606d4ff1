import { answerChallenge as answer } from '../../actions/factors/challenge.ts';
import type { Context } from '../../context.ts';
import type { App } from '../../http/app-type.ts';
import { logCopied } from '../../http/passkeys.ts';
import { proofOf } from '../../http/proof.ts';
import { deviceNameOf, reportRefusedSignIn, reportSignIn } from '../../http/sign-in.ts';
import { sourceOf } from '../../http/source.ts';
import { answerTokens } from '../../http/tokens.ts';
import { ChallengeBody } from '../../schemas/second-factor.ts';
import { TokenAnswer } from '../../schemas/session.ts';

const EVENTS = { refused: 'mfa.refused', throttled: 'mfa.refused' } as const;

export function answerChallenge(app: App, context: Context): void {
  app.route({
    method: 'POST',
    url: '/v1/login/mfa',
    config: {
      headers: { 200: ['Set-Cookie'] },
      access: 'checked-by-handler',
      takesDpopProof: true,
      tighterLimit: true,
      problems: [
        'challenge_invalid',
        'invalid_code',
        'passkey_copied',
        'throttled',
        'overloaded',
        'unavailable',
      ],
    },
    schema: {
      operationId: 'answerChallenge',
      tags: ['Sessions'],
      summary: 'Finish signing in with the second factor',
      description:
        'Takes the `mfa_token` from `/v1/login` or `/v1/login/code/verify`, and a code from the authenticator app, a recovery code or a passkey. Allows five tries. If the first step had a DPoP proof, this one needs a proof of the same key.',
      body: ChallengeBody,
      response: { 200: TokenAnswer },
    },
    handler: async (request, reply) => {
      const { mfa_token: token, ...body } = request.body;
      const proof = proofOf(body);
      const way = proof.kind;
      try {
        const holder = await logCopied(
          request,
          answer(context, {
            token,
            proof,
            client: deviceNameOf(request),
            binding: request.binding,
            source: sourceOf(request, reply),
          }),
        );
        reportSignIn(request, context, {
          way,
          result: 'ok',
          event: 'sign_in.ok',
          user: holder.user.id,
          session: holder.session.id,
        });
        return answerTokens(reply, context, holder);
      } catch (error) {
        reportRefusedSignIn(request, context, { error, way, events: EVENTS });
        throw error;
      }
    },
  });
}
