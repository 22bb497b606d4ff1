import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Arrived } from '../actions/sessions/signed-in.ts';
import { audienceOf } from '../actions/tokens/audience.ts';
import type { Holder } from '../actions/tokens/token-pair.ts';
import type { Context } from '../context.ts';
import type { Challenge } from '../schemas/second-factor.ts';
import type { TokenAnswer } from '../schemas/session.ts';
import type { Session } from '../schemas/user.ts';
import { challengeAnswer } from './challenge.ts';
import { reportArrival, reportRefusedSignIn, type Way } from './sign-in.ts';
import { answerTokens } from './tokens.ts';

type Tokens = z.input<typeof TokenAnswer>;

/** A sign-in that a client has asked for. `resource`: for whom the access token is. */
interface AskedSignIn<Who> {
  way: Way;
  transport: Session['transport'];
  resource: string | undefined;
  /** Signs in. Not begun for a resource that is unknown. */
  work: () => Promise<Arrived<Who>>;
}

/**
 * Where the route of every way in ends: the token pair, or with 202 the challenge for the second factor. Counts and logs how it
 * ended. Refuses with `invalid_target`, and as the work does.
 */
export function answerSignIn(
  request: FastifyRequest,
  reply: FastifyReply,
  context: Context,
  asked: AskedSignIn<Holder>,
): Promise<Tokens>;
export function answerSignIn(
  request: FastifyRequest,
  reply: FastifyReply,
  context: Context,
  asked: AskedSignIn<Arrived['who']>,
): Promise<Tokens | z.input<typeof Challenge>>;
export async function answerSignIn(
  request: FastifyRequest,
  reply: FastifyReply,
  context: Context,
  { way, transport, resource, work }: AskedSignIn<Arrived['who']>,
) {
  const audience = audienceOf(context, resource);
  try {
    const arrived = await work();
    reportArrival(request, context, { way, ...arrived });
    const { who } = arrived;
    if (who.session !== undefined) return answerTokens(reply, context, { ...who, audience });
    reply.code(202);
    return challengeAnswer(request, context, { half: { ...who, transport, resource }, way });
  } catch (error) {
    reportRefusedSignIn(request, context, { error, way });
    throw error;
  }
}
