import type { FastifyReply, FastifyRequest } from 'fastify';
import { linkIdentity } from '../../../actions/factors/provider/my-identities.ts';
import { comeBack, type Journey, journeyOf } from '../../../actions/factors/provider/redirect.ts';
import { type Arrival, signInWithIdentity } from '../../../actions/factors/provider/sign-in.ts';
import type { Context } from '../../../context.ts';
import type { App } from '../../../http/app-type.ts';
import { challengeAnswer } from '../../../http/challenge.ts';
import { cookieOf, PROVIDER_COOKIE, setCookie } from '../../../http/cookies.ts';
import { logEvent } from '../../../http/logging.ts';
import { landing, refusedAt } from '../../../http/redirects.ts';
import { reportArrival, reportRefusedSignIn, signInOf } from '../../../http/sign-in.ts';
import { answerTokens } from '../../../http/tokens.ts';
import { FACTORS } from '../../../rules/factors/factors.ts';
import type { Identity } from '../../../rules/identities.ts';
import { ProviderPath } from '../../../schemas/identity.ts';
import { NoContent } from '../../../schemas/session.ts';

const way = 'provider';

type LinkJourney = Journey & Required<Pick<Journey, 'link'>>;
const isLink = (journey: Journey): journey is LinkJourney => journey.link !== undefined;

/** With its `?`; empty without one. */
const queryOf = ({ url }: FastifyRequest): string => /\?.*/s.exec(url)?.[0] ?? '';

export function comeBackFromProvider(app: App, context: Context): void {
  const { config } = context;

  /** Where to go with the account at the provider linked. */
  async function link(
    request: FastifyRequest,
    identity: Identity,
    { link, to }: LinkJourney,
  ): Promise<string> {
    const { user, isNew } = await linkIdentity(context, link, { identity });
    if (isNew) logEvent(request, 'identity.linked', { user: user.id });
    return to;
  }

  /** Where to go signed in, or to the second step. */
  async function enter(
    request: FastifyRequest,
    reply: FastifyReply,
    { identity, deviceToken, to }: Arrival & { to: string },
  ): Promise<string> {
    const signIn = signInOf(request, 'cookie', FACTORS.provider.amr);
    const arrived = await signInWithIdentity(context, { identity, deviceToken }, signIn);
    reportArrival(request, context, { way, ...arrived });
    const { who } = arrived;
    if (who.session === undefined) {
      const half = { ...who, transport: 'cookie' as const };
      const { mfa_token, methods } = challengeAnswer(request, context, { half, way });
      return landing(config, {
        page: 'login',
        to,
        fragment: { mfa_token, methods: methods.join() },
      });
    }
    answerTokens(reply, context, who);
    return to;
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
      security: [{ providerCookie: [] }],
      params: ProviderPath,
      response: { 303: NoContent.describe('Signed in, or back to the page to sign in.') },
    },
    handler: async (request, reply) => {
      const { provider: slot } = request.params;
      context.providers.in(slot);
      let journey: Journey | undefined;
      let url: string;
      try {
        journey = journeyOf(context, slot, cookieOf(request, PROVIDER_COOKIE) ?? '');
        const identity = await comeBack(context, journey, queryOf(request));
        const { deviceToken, to } = journey;
        url = isLink(journey)
          ? await link(request, identity, journey)
          : await enter(request, reply, { identity, deviceToken, to });
      } catch (error) {
        const isOfLink = journey !== undefined && isLink(journey);
        if (!isOfLink) reportRefusedSignIn(request, context, { error, way });
        url = refusedAt(
          request,
          config,
          isOfLink ? { page: 'account', error } : { page: 'login', to: journey?.to, error },
        );
      }
      // It has done its work.
      setCookie(reply, config, { name: PROVIDER_COOKIE, value: '', maxAge: 0 });
      return reply.redirect(url, 303);
    },
  });
}
