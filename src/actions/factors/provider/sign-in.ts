import type { Context } from '../../../context.ts';
import { newUserId } from '../../../parts/ids.ts';
import { EmailTaken, IdentityTaken } from '../../../parts/storage/users.ts';
import { emailKey, newPerson } from '../../../rules/accounts.ts';
import {
  type Identity,
  keyOfIdentity,
  type Nonce,
  withIdentity,
  withIdentityOfMailbox,
  withNonceUsed,
} from '../../../rules/identities.ts';
import { Refusal } from '../../../rules/refusal.ts';
import { hasSecondFactor } from '../../../rules/second-factor.ts';
import type { SignIn } from '../../../rules/sessions.ts';
import { cleanName, Name, NewEmail } from '../../../schemas/fields.ts';
import type { User } from '../../../schemas/user.ts';
import { tell } from '../../accounts/letters.ts';
import {
  type Arrived,
  type HalfSignedIn,
  type Started,
  signedIn,
  startedFor,
} from '../../sessions/signed-in.ts';
import { deviceOf } from '../../tokens/token-pair.ts';

/** Somebody who comes from a provider. */
export interface Arrival {
  identity: Identity;
  deviceToken: string | undefined;
  /** That of an ID token which an app has sent. */
  nonce?: Nonce;
}

/**
 * A new session, or a challenge for the second factor, for the user whom the identity is linked with. An unknown one makes an
 * account, or links the one with its address if both sides have proven that mailbox. Refuses with `provider_unlinked`,
 * `provider_refused` or `sign_up_closed`.
 */
export async function signInWithIdentity(
  context: Context,
  arrival: Arrival,
  signIn: SignIn,
): Promise<Arrived> {
  try {
    return await enter(context, arrival, signIn);
  } catch (error) {
    // The same person came in on another node a moment before, and is known now.
    if (error instanceof EmailTaken || error instanceof IdentityTaken)
      return enter(context, arrival, signIn);
    throw error;
  }
}

async function enter(context: Context, arrival: Arrival, signIn: SignIn): Promise<Arrived> {
  const { users, config } = context;
  const { identity } = arrival;
  const known = await users.findByIdentity(identity.column, keyOfIdentity(identity));
  if (known !== undefined) return enterAs(context, known, arrival, signIn);
  if (identity.email === undefined) throw new Refusal('provider_unlinked');
  const owner = await users.findByEmail(emailKey(identity.email));
  if (owner !== undefined) return enterAs(context, owner, arrival, signIn);
  if (config.SIGN_UP === 'closed') throw new Refusal('sign_up_closed');
  return enterAnew(context, arrival, signIn);
}

/** Signs in to an account that is there, and links it if it is not. */
async function enterAs(
  context: Context,
  found: User,
  { identity, deviceToken, nonce }: Arrival,
  signIn: SignIn,
): Promise<Arrived> {
  const { users, clock, sessionLimits } = context;
  const device = deviceOf(context, found, deviceToken);
  const key = keyOfIdentity(identity);
  const entered = await users.change<(Started | HalfSignedIn) & { isLinked: boolean }>(
    found.id,
    (row) => {
      const now = clock();
      if (row.status !== 'active') throw new Refusal('provider_refused', { user: row.id });
      const isLinked = row[identity.column] === key;
      const linked = isLinked ? row : withIdentityOfMailbox(row, identity);
      const spent = withNonceUsed(linked, nonce, now);
      if (hasSecondFactor(row))
        return { user: spent, result: { user: spent, device, amr: signIn.amr, isLinked } };
      const started = startedFor(row, spent, { signIn, device, now, limits: sessionLimits });
      return { user: started.user, result: { ...started, isLinked } };
    },
  );
  if (entered === undefined) throw new Refusal('provider_refused', { user: found.id });
  const who = entered.session === undefined ? entered : signedIn(context, entered);
  if (entered.isLinked) return { who };
  tell(context, found, 'identity.linked');
  return { who, event: 'identity.linked' };
}

/** Makes the account. Throws EmailTaken or IdentityTaken if another node was faster. */
async function enterAnew(
  context: Context,
  { identity, nonce }: Arrival,
  signIn: SignIn,
): Promise<Arrived> {
  const { users, clock, sessionLimits } = context;
  const { success, data: email } = NewEmail.safeParse(identity.email);
  if (!success) throw new Refusal('provider_unlinked', { reason: 'no address for an account' });
  const now = clock();
  const name = Name.safeParse(cleanName(identity.name ?? '')).data ?? null;
  const person: User = {
    ...newPerson({ id: newUserId(now), email, name, passwordHash: null }, now),
    email_verified_at: now,
  };
  const linked = withNonceUsed(withIdentity(person, identity), nonce, now);
  const start = { signIn, device: undefined, now, limits: sessionLimits };
  const started = startedFor(person, linked, start);
  await users.insert(started.user);
  return { who: signedIn(context, started), event: 'account.created' };
}
