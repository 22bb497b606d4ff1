import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { DEVICE_LIFE, type Holder, issuePair } from '../actions/tokens/token-pair.ts';
import type { Context } from '../context.ts';
import { Refusal } from '../rules/refusal.ts';
import type { TokenAnswer } from '../schemas/session.ts';
import type { Session } from '../schemas/user.ts';
import { checkOrigin, cookieOf, DEVICE_COOKIE, REFRESH_COOKIE, setCookie } from './cookies.ts';

/** Issues a token pair by the session's transport: all in the body, or the refresh and device tokens in cookies. */
export function answerTokens(
  reply: FastifyReply,
  context: Context,
  holder: Holder,
): z.input<typeof TokenAnswer> {
  const { refresh_token, device_token, ...answer } = issuePair(context, holder);
  if (holder.session.transport === 'body') return { ...answer, refresh_token, device_token };
  setCookie(reply, context.config, {
    name: REFRESH_COOKIE,
    value: refresh_token,
    maxAge: answer.refresh_expires_in,
  });
  setCookie(reply, context.config, {
    name: DEVICE_COOKIE,
    value: device_token,
    maxAge: DEVICE_LIFE,
  });
  return answer;
}

export interface PresentedRefresh {
  token: string;
  transport: Session['transport'];
}

/** The refresh token from the body or the cookie. Refuses both together, and a cookie from an origin that is not allowed. */
export function presentedRefresh(
  request: FastifyRequest,
  body: { refresh_token?: string | undefined } | undefined,
  context: Context,
): PresentedRefresh | undefined {
  const cookie = cookieOf(request, REFRESH_COOKIE);
  const token = body?.refresh_token;
  if (cookie !== undefined) {
    if (token !== undefined) throw new Refusal('ambiguous_credentials');
    checkOrigin(request, context.config);
    return { token: cookie, transport: 'cookie' };
  }
  return token === undefined ? undefined : { token, transport: 'body' };
}
