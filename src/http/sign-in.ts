import type { FastifyRequest } from 'fastify';
import type { Arrived } from '../actions/sessions/signed-in.ts';
import type { Context } from '../context.ts';
import { randomId } from '../parts/ids.ts';
import { FACTORS, type FactorKind } from '../rules/factors/factors.ts';
import { Refusal } from '../rules/refusal.ts';
import type { SignIn } from '../rules/sessions.ts';
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
  amr = FACTORS.password.amr,
): SignIn => ({
  id: randomId(),
  amr,
  transport,
  client: deviceNameOf(request),
  ...request.binding,
});

/** How somebody signs in, in the metrics. */
export type Way = FactorKind | 'client_secret';

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

/** Counts and logs how somebody came in, and what became of the account. A challenge is counted by `challenge.ts`. */
export function reportArrival(
  request: FastifyRequest,
  context: Pick<Context, 'metrics'>,
  { way, who: { user, session }, event }: Arrived & { way: Way },
): void {
  if (event !== undefined) logEvent(request, event, { user: user.id });
  if (session !== undefined)
    reportSignIn(request, context, {
      way,
      result: 'ok',
      event: 'sign_in.ok',
      user: user.id,
      session: session.id,
    });
}

/** These count as no refused sign-in. `passkey_copied` has an event of its own (`src/http/passkeys.ts`). */
const NOTHING_CHECKED: ReadonlySet<ProblemCode> = new Set([
  'overloaded',
  'passkey_copied',
  'provider_unavailable',
]);

const EVENTS = { refused: 'sign_in.refused', throttled: 'sign_in.throttled' } as const;

/** The same for one that ended with an error. An overloaded service, and a fault, have not checked anything. */
export function reportRefusedSignIn(
  request: FastifyRequest,
  context: Pick<Context, 'metrics'>,
  {
    error,
    way,
    events = EVENTS,
  }: { error: unknown; way: Way; events?: Record<'refused' | 'throttled', EventName> },
): void {
  if (!(error instanceof Refusal) || NOTHING_CHECKED.has(error.code)) return;
  const result = error.code === 'throttled' ? 'throttled' : 'refused';
  const { user } = error.circumstances;
  reportSignIn(request, context, { way, result, event: events[result], user });
}
