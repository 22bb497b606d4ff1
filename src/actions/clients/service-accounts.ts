import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Context } from '../../context.ts';
import { newUserId } from '../../parts/ids.ts';
import { UnreadableRow } from '../../parts/storage/users.ts';
import { emptyUser } from '../../rules/accounts.ts';
import type { User } from '../../schemas/user.ts';

/** Two secrets are valid at a time, so that a service can change to the new one without a gap. */
const MAX_SECRETS = 2;

/** A plain hash will do: 256 random bits cannot be guessed. */
const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url');

const newSecret = (): string => randomBytes(32).toString('base64url');

export function newServiceAccount(
  {
    name,
    roles,
    claims = {},
  }: Pick<User, 'roles'> & { name: string; claims?: User['claims'] | undefined },
  now: number,
) {
  const secret = newSecret();
  const account: User = {
    ...emptyUser(newUserId(now), 'service', now),
    name,
    secret_hashes: [hashOf(secret)],
    roles,
    claims,
  };
  return { account, secret };
}

/** The account with a new secret. The one before it stays valid; older ones do not. */
export function withNewSecret(account: User, now: number): { user: User; result: string } {
  const secret = newSecret();
  const secret_hashes = [hashOf(secret), ...(account.secret_hashes ?? [])].slice(0, MAX_SECRETS);
  return { user: { ...account, secret_hashes, updated_at: now }, result: secret };
}

/** Whether this is a secret of the account. A damaged hash matches no secret, and is logged for the operator. */
export function checkSecret(
  { unreadableRows }: Pick<Context, 'unreadableRows'>,
  account: User,
  secret: string,
): boolean {
  const hash = Buffer.from(hashOf(secret));
  const stored = (account.secret_hashes ?? []).map((text) => Buffer.from(text));
  const sound = stored.filter((bytes) => bytes.length === hash.length);
  if (sound.length < stored.length)
    unreadableRows.add(new UnreadableRow(account.id, 'a hash in secret_hashes is damaged'));
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
  return checkSecret(context, account, secret) ? account : undefined;
}
