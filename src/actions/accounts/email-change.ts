import type { Context } from '../../context.ts';
import { confirmEmail } from '../../parts/mail/messages/confirm-email.ts';
import { emailChanging } from '../../parts/mail/messages/email-changing.ts';
import { EmailTaken } from '../../parts/storage/users.ts';
import { emailKey } from '../../rules/accounts.ts';
import { Refusal } from '../../rules/refusal.ts';
import { withOtherSessionsEnded } from '../../rules/sessions.ts';
import { NewEmail } from '../../schemas/fields.ts';
import type { User } from '../../schemas/user.ts';
import { emailState, emailToken } from '../tokens/mailed-tokens.ts';
import { postLimited, tell, tellTaken } from './letters.ts';

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
  const { users, outbox, config } = context;
  const owner = await users.findByEmail(emailKey(email));
  if (owner !== undefined && owner.id !== user.id) tellTaken(context, owner);
  else
    postLimited(context, { occasion: 'confirm', email }, () =>
      confirmEmail(config.APP_URL, emailToken(context, user, { email, sid })),
    );
  const old = user.email;
  if (old !== null && emailKey(email) !== user.email_key)
    outbox.post(old, () => emailChanging(config.APP_URL));
}

/** Sets the confirmed address. If it is a new one, every session ends except the one that asked. Refuses with `link_invalid`. */
export async function confirmEmailChange(context: Context, token: string): Promise<User> {
  const { ownTokens, users, clock } = context;
  const claims = ownTokens.read('email', token);
  if (claims === undefined) throw new Refusal('link_invalid');
  try {
    const before = await users.change(claims.sub, (user) => {
      if (user.status !== 'active' || emailState(user) !== claims.was)
        throw new Refusal('link_invalid');
      const now = clock();
      const { email } = claims;
      const moved = {
        ...user,
        email,
        email_key: emailKey(email),
        email_verified_at: now,
        updated_at: now,
      };
      const moves = moved.email_key !== user.email_key;
      return { user: moves ? withOtherSessionsEnded(moved, claims.sid, now) : moved, result: user };
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
