import type { Context } from '../../context.ts';
import { confirmEmail } from '../../parts/mail/messages/confirm-email.ts';
import { emailChanging } from '../../parts/mail/messages/email-changing.ts';
import { EmailTaken } from '../../parts/storage/users.ts';
import { emailKey } from '../../rules/accounts.ts';
import { Refusal } from '../../rules/refusal.ts';
import { withChallengesVoid } from '../../rules/second-factor.ts';
import { withOtherSessionsEnded } from '../../rules/sessions.ts';
import { NewEmail } from '../../schemas/fields.ts';
import type { User } from '../../schemas/user.ts';
import { emailState, emailToken } from '../tokens/mailed-tokens.ts';
import { deviceOf } from '../tokens/token-pair.ts';
import { postLimited, postToOwner, tell, tellTaken } from './letters.ts';
import { accountLetter } from './unconfirmed-account.ts';

/** Refuses with `invalid_input` an address that new accounts may not have, unless it is the user's own, to be confirmed. */
export function assertMayTake(user: User, email: string): void {
  const checked = NewEmail.safeParse(email);
  if (checked.success || emailKey(email) === user.email_key) return;
  const errors = checked.error.issues.map(({ message }) => ({ path: '/email', message }));
  throw new Refusal('invalid_input', { errors });
}

/** Mails a link to the new address and a warning to the old one, which stays in use until the link is followed. */
export async function askForEmailChange(
  context: Context,
  user: User,
  { email, sid }: { email: string; sid: string },
): Promise<void> {
  const { users, config } = context;
  const owner = await users.findByEmail(emailKey(email));
  const moves = emailKey(email) !== user.email_key;
  if (owner !== undefined && owner.id !== user.id) tellTaken(context, owner);
  else
    postLimited(context, { occasion: 'confirm', email }, () =>
      moves || user.email_verified_at !== null
        ? confirmEmail(config, emailToken(context, user, { email, sid }))
        : accountLetter(context, user, { email, sid }),
    );
  if (moves) postToOwner(context, user, () => emailChanging(config.APP_URL));
}

/** Who the account belongs to, once the link was opened: a device of the account shows that it is the user who holds the mailbox. */
const claimedAt = (user: User, { isDevice, moves }: { isDevice: boolean; moves: boolean }) => {
  if (isDevice) return user.claimed_at || null;
  return moves || user.email_verified_at === null ? 0 : user.claimed_at;
};

/**
 * Sets the confirmed address. If it is a new one, every session ends except the one that asked. `deviceToken`: that of the
 * browser or app in which the link was opened. Refuses with `link_invalid`.
 */
export async function confirmEmailChange(
  context: Context,
  { token, deviceToken }: { token: string; deviceToken: string | undefined },
): Promise<User> {
  const { ownTokens, users, clock } = context;
  const claims = ownTokens.read('email', token);
  if (claims === undefined) throw new Refusal('link_invalid');
  try {
    const before = await users.change(claims.sub, (user) => {
      if (user.status !== 'active' || emailState(user) !== claims.was)
        throw new Refusal('link_invalid');
      const now = clock();
      const { email } = claims;
      const moves = emailKey(email) !== user.email_key;
      const isDevice = deviceOf(context, user, deviceToken) !== undefined;
      const moved = {
        ...user,
        email,
        email_key: emailKey(email),
        email_verified_at: now,
        claimed_at: claimedAt(user, { isDevice, moves }),
        updated_at: now,
      };
      if (!moves) return { user: moved, result: user };
      const next = withOtherSessionsEnded(withChallengesVoid(moved, now), claims.sid, now);
      return { user: next, result: user };
    });
    if (before === undefined) throw new Refusal('link_invalid');
    if (before.email_key !== emailKey(claims.email)) tell(context, before, 'email.changed');
    return before;
  } catch (error) {
    // Another account took the address in the meantime.
    if (error instanceof EmailTaken) throw new Refusal('link_invalid');
    throw error;
  }
}
