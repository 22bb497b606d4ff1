import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Context } from '../../context.ts';
import { newUserId } from '../../parts/ids.ts';
import { UnreadableRow } from '../../parts/storage/users.ts';
import { emptyUser } from '../../rules/accounts.ts';
import type { User } from '../../schemas/user.ts';

/** Two secrets hold at a time, so that one can be exchanged without a gap. */
const MAX_SECRETS = 2;

/** 256 random bits need no slow hash: nobody guesses them. */
const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url');

const newSecret = (): string => randomBytes(32).toString('base64url');

/** The hashes stand in `password_hash`, newest first. */
const hashesOf = (account: User): string[] =>
  (account.password_hash ?? '').split(' ').filter(Boolean);

export function newServiceAccount(
  { name, roles }: Pick<User, 'roles'> & { name: string },
  now: number,
) {
  const secret = newSecret();
  const account: User = {
    ...emptyUser(newUserId(now), 'service', now),
    name,
    password_hash: hashOf(secret),
    roles,
  };
  return { account, secret };
}

/** The account with a new secret; the one before it goes on holding, older ones do not. */
export function withNewSecret(account: User, now: number): { user: User; result: string } {
  const secret = newSecret();
  const hashes = [hashOf(secret), ...hashesOf(account)].slice(0, MAX_SECRETS);
  return { user: { ...account, password_hash: hashes.join(' '), updated_at: now }, result: secret };
}

/** A hash that is damaged holds for no secret, and is told to the operator; the other one goes on holding. */
export function holdsSecret(
  { unreadableRows }: Pick<Context, 'unreadableRows'>,
  account: User,
  secret: string,
): boolean {
  const hash = Buffer.from(hashOf(secret));
  const stored = hashesOf(account).map((text) => Buffer.from(text));
  const sound = stored.filter((bytes) => bytes.length === hash.length);
  if (sound.length < stored.length)
    unreadableRows.add(new UnreadableRow(account.id, 'a hash in password_hash is damaged'));
  return sound.some((bytes) => timingSafeEqual(bytes, hash));
}

/** The active account with this id and secret. */
export async function authenticate(
  context: Pick<Context, 'users' | 'unreadableRows'>,
  id: string,
  secret: string,
): Promise<User | undefined> {
  const account = await context.users.findById(id);
  if (account?.kind !== 'service' || account.status !== 'active') return undefined;
  return holdsSecret(context, account, secret) ? account : undefined;
}
