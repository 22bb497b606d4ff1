import type { Context } from '../../context.ts';
import { newUserId } from '../../parts/ids.ts';
import { invitation } from '../../parts/mail/messages/invitation.ts';
import { newPerson, withoutPersonalData } from '../../rules/accounts.ts';
import { Refusal } from '../../rules/refusal.ts';
import { withAccessRevoked, withEverySessionEnded } from '../../rules/sessions.ts';
import type { AccessClaims } from '../../schemas/claims.ts';
import type { User } from '../../schemas/user.ts';
import { assertStands } from '../accounts/caller.ts';
import { invitationToken } from '../tokens/mailed-tokens.ts';
import { assertTokenFits } from './token-size.ts';

export const ADMIN = 'admin';

const isAdmin = (user: User): boolean =>
  user.kind === 'person' && user.status === 'active' && user.roles.includes(ADMIN);

/** Changes a user. Refuses with `last_admin` if no administrator would be left, even if two changes race. */
export async function changeKeepingAnAdmin<T>(
  { users, clock }: Pick<Context, 'users' | 'clock'>,
  id: string,
  decide: (user: User, now: number) => { user: User; result: T },
): Promise<T | undefined> {
  return users.change(
    id,
    (user, other) => {
      const change = decide(user, clock());
      if (!isAdmin(user) || isAdmin(change.user)) return change;
      if (other === undefined) throw new Refusal('last_admin');
      // The other must still be an administrator when this is written.
      return { ...change, witness: other };
    },
    async (user) => (isAdmin(user) ? users.findOther(id, ADMIN) : undefined),
  );
}

export interface NewUser {
  email: string;
  name: string | null;
  roles: string[];
  claims?: User['claims'] | undefined;
}

/** Makes an account without a password, and mails its owner a link to choose one. Refuses with `email_taken`. */
export async function inviteUser(
  context: Context,
  { email, name, roles, claims = {} }: NewUser,
): Promise<User> {
  const user = {
    ...newPerson(
      { id: newUserId(context.clock()), email, name, passwordHash: null },
      context.clock(),
    ),
    roles,
    claims,
  };
  assertTokenFits(context, { after: user });
  await context.users.insert(user);
  context.outbox.post(email, () => invitation(context.config, invitationToken(context, user)));
  return user;
}

/** What an administrator may change of a user. */
export interface Amendment {
  name?: string | null | undefined;
  roles?: string[] | undefined;
  status?: 'active' | 'disabled' | undefined;
  claims?: User['claims'] | undefined;
}

/**
 * Removing a role revokes the access tokens, and sessions go on after their next refresh. Disabling revokes every token. New
 * claims come with the next token, and revoke nothing: what a claim allows is known to other services alone.
 */
export function withAmendment(
  user: User,
  { name, roles, status, claims }: Amendment,
  now: number,
): User {
  const next: User = {
    ...user,
    name: name === undefined ? user.name : name,
    roles: roles ?? user.roles,
    status: status ?? user.status,
    claims: claims ?? user.claims,
    updated_at: now,
  };
  const losesRole = user.roles.some((role) => !next.roles.includes(role));
  const isDisabled = user.status === 'active' && next.status !== 'active';
  if (isDisabled) return withEverySessionEnded(next, now);
  return losesRole ? withAccessRevoked(next, now) : next;
}

/** Refuses with `not_found` a row of the other kind, or of a deleted user. */
export function assertKind(user: User, kind: User['kind']): void {
  if (user.kind !== kind || user.status === 'deleted') throw new Refusal('not_found');
}

/**
 * Changes the user of a path. Refuses with `not_found`. An administrator who changes the own account must still be
 * valid in the row that is written: one who was just demoted cannot undo it.
 */
export async function administer<T>(
  context: Pick<Context, 'users' | 'clock'>,
  { id, kind, caller }: { id: string; kind: User['kind']; caller?: AccessClaims },
  decide: (user: User, now: number) => { user: User; result: T },
): Promise<T> {
  const changed = await changeKeepingAnAdmin(context, id, (user, now) => {
    assertKind(user, kind);
    if (caller?.sub === user.id) assertStands(user, caller, now);
    const { user: next, result } = decide(user, now);
    return { user: next, result: { result } };
  });
  if (changed === undefined) throw new Refusal('not_found');
  return changed.result;
}

export const decideDeletion = (user: User, now: number) => ({
  user: withoutPersonalData(user, now),
  result: user,
});
