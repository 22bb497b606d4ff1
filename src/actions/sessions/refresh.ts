import type { Context } from '../../context.ts';
import { type Rotation, rotate } from '../../rules/rotation.ts';
import type { Session } from '../../schemas/user.ts';
import type { Holder } from '../tokens/token-pair.ts';

interface Presented {
  token: string;
  transport: Session['transport'];
  /** The Idempotency-Key. */
  idempotencyKey: string | undefined;
  /** The thumbprint of the key of its DPoP proof. */
  jkt?: string | undefined;
}

export type Refreshed =
  | (Extract<Rotation, { session: Session }> & Holder)
  | { outcome: 'unproven' }
  | { outcome: 'invalid' };

/** Refreshes a session by the refresh table (`rules/rotation.ts`), in at most one write. */
export async function refreshSession(
  { ownTokens, users, clock, sessionLimits }: Context,
  { token, transport, idempotencyKey, jkt }: Presented,
): Promise<Refreshed> {
  const claims = ownTokens.read('refresh', token);
  if (claims === undefined) return { outcome: 'invalid' };
  const { sub, sid, gen, ver, dev } = claims;
  const refreshed = await users.change(sub, (before) => {
    const { user, result } = rotate(
      before,
      { sid, gen, ver, transport, idempotencyKey, jkt },
      clock(),
      sessionLimits,
    );
    return {
      user,
      result: 'session' in result ? { ...result, user, device: dev } : result,
    };
  });
  return refreshed ?? { outcome: 'invalid' };
}
