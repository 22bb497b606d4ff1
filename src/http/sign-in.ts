import type { FastifyRequest } from 'fastify';
import type { Kind } from '../actions/factors/factor.ts';
import type { Context } from '../context.ts';
import { randomId } from '../parts/ids.ts';
import { Refusal } from '../rules/refusal.ts';
import type { SignIn } from '../rules/sessions.ts';
import { AMR } from '../schemas/methods.ts';
import type { ProblemCode } from '../schemas/problem.ts';
import { type EventName, logEvent } from './logging.ts';

const MAX_CLIENT = 100;

/** The User-Agent header, truncated, for the list of devices. */
export const deviceNameOf = (request: FastifyRequest): string =>
  (request.headers['user-agent'] ?? '').slice(0, MAX_CLIENT);

/** Describes a sign-in made with this request, by a password unless `amr` says otherwise. A DPoP proof binds the session. */
export const signInOf = (
  request: FastifyRequest,
  transport: SignIn['transport'],
  amr = AMR.password,
): SignIn => ({
  id: randomId(),
  amr,
  transport,
  client: deviceNameOf(request),
  ...request.binding,
});

type Way = 'password' | Kind | 'mail_code' | 'provider' | 'client_secret';

interface Reported {
  way: Way;
  result: 'ok' | 'challenged' | 'refused' | 'throttled';
  event: EventName;
  user?: string | undefined;
  session?: string;
}

/** Counts and logs how a sign-in, or a step of one, ended. */
export function reportSignIn(
  request: FastifyRequest,
  { metrics }: Pick<Context, 'metrics'>,
  { way, result, event, ...ids }: Reported,
): void {
  metrics.signIns.inc({ way, result });
  logEvent(request, event, ids);
}

/** These count as no refused sign-in. `passkey_copied` has an event of its own (`src/http/passkeys.ts`). */
const NOTHING_CHECKED: ReadonlySet<ProblemCode> = new Set([
  'overloaded',
  'passkey_copied',
  'provider_unavailable',
]);

/** The same for one that ended with an error. An overloaded service, and a fault, have not checked anything. */
export function reportRefusedSignIn(
  request: FastifyRequest,
  context: Pick<Context, 'metrics'>,
  {
    error,
    way,
    events,
  }: { error: unknown; way: Way; events: Record<'refused' | 'throttled', EventName> },
): void {
  if (!(error instanceof Refusal) || NOTHING_CHECKED.has(error.code)) return;
  const result = error.code === 'throttled' ? 'throttled' : 'refused';
  const { user } = error.circumstances;
  reportSignIn(request, context, { way, result, event: events[result], user });
}
