import type { Context } from '../../context.ts';
import { Refusal } from '../../rules/refusal.ts';
import type { AccessClaims } from '../../schemas/claims.ts';
import { proveCaller } from './caller.ts';

/** How old a proof may be for what outlives an access token. Seconds. */
export const RECENT = 900;

/** `password`: of a service account, its secret. `signal`: aborted when the client has gone. */
interface GivenSecret {
  password: string | undefined;
  signal: AbortSignal;
}

/** A service account proves its secret with every token, so only the secret itself tells that the token is not stolen. */
const isService = ({ client_id, sub }: AccessClaims): boolean => client_id === sub;

/** Whether the caller has proven who they are: with the password now, or in some way within the last 15 minutes. A wrong password is refused. */
export async function hasProven(
  context: Context,
  caller: AccessClaims,
  { password, signal }: GivenSecret,
): Promise<boolean> {
  if (password !== undefined) await proveCaller(context, caller, { password, signal });
  const isRecent = context.clock() < (caller.auth_time + RECENT) * 1_000;
  return password !== undefined || (isRecent && !isService(caller));
}

/** What to answer if the proof is missing (RFC 9470). */
export const unproven = (caller: AccessClaims): Refusal =>
  isService(caller)
    ? new Refusal('invalid_input', { errors: [{ path: '/password', message: 'is required' }] })
    : new Refusal('step_up_required');

/** For what outlives an access token: a stolen one does only while the proof is recent. Refuses with `step_up_required`. */
export async function proveRecent(
  context: Context,
  caller: AccessClaims,
  given: GivenSecret,
): Promise<void> {
  if (!(await hasProven(context, caller, given))) throw unproven(caller);
}

/** The same for people, who prove it with `/v1/me/verify`. Refuses with `step_up_required`. */
export const assertRecent = (context: Context, caller: AccessClaims): Promise<void> =>
  proveRecent(context, caller, { password: undefined, signal: AbortSignal.any([]) });
