import { randomId } from '../../src/parts/ids.ts';
import { type Presented, rotate } from '../../src/rules/rotation.ts';
import { withNewSession } from '../../src/rules/sessions.ts';
import type { Session, User } from '../../src/schemas/user.ts';
import { ada, limits, NOW } from './samples.ts';

export const signIn = { amr: ['pwd'], transport: 'body', client: 'curl' } as const;
export const begin = (user: User, now: number, some: Partial<typeof limits> = {}) =>
  withNewSession(user, { id: randomId(), ...signIn, amr: [...signIn.amr] }, now, {
    ...limits,
    ...some,
  });

/** A user with one session of generation `gen`, last rotated at `NOW`. */
export function rotated(gen: number, idempotencyKey?: string) {
  let { user, session } = begin(ada(), NOW);
  for (let step = 0; step < gen; step += 1) {
    const last = step === gen - 1;
    const turn = rotate(user, present(session, last ? { idempotencyKey } : {}), NOW, limits);
    if (turn.result.outcome !== 'rotated') throw new Error(turn.result.outcome);
    user = turn.user;
    session = turn.result.session;
  }
  return { user, session };
}

export const present = (session: Session, changes: Partial<Presented> = {}): Presented => ({
  sid: session.id,
  gen: session.gen,
  ver: 0,
  transport: 'body',
  ...changes,
});
