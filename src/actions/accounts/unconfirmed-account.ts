import type { Context } from '../../context.ts';
import type { Letter } from '../../parts/mail/letter.ts';
import { confirmAccount } from '../../parts/mail/messages/confirm-account.ts';
import { Refusal } from '../../rules/refusal.ts';
import { spokenDevice, spokenTime } from '../../rules/spoken.ts';
import type { User } from '../../schemas/user.ts';
import { changeKeepingAnAdmin, decideDeletion } from '../administration/administration.ts';
import { emailToken, notMeToken } from '../tokens/mailed-tokens.ts';

/** The session in which the account was made, if it is still in the row. */
const firstSessionOf = ({ sessions, created_at }: User) =>
  sessions.find((session) => session.created_at === created_at);

/** The letter to the address of an account that nobody has confirmed. `sid`: the session that asked for it. */
export const accountLetter = (
  context: Context,
  user: User,
  asked: { email: string; sid: string },
): Letter =>
  confirmAccount(context.config, {
    madeAt: spokenTime(user.created_at),
    device: spokenDevice(firstSessionOf(user)?.client ?? ''),
    token: emailToken(context, user, asked),
    notMeToken: notMeToken(context, user),
  });

/**
 * "This was not me": deletes an account whose address was never confirmed, for the holder of the mailbox. Its user
 * cannot make the link invalid, except by moving the account to another address. Refuses with `link_invalid` or `last_admin`.
 */
export async function disown(context: Context, token: string): Promise<User> {
  const claims = context.ownTokens.read('not-me', token);
  if (claims === undefined) throw new Refusal('link_invalid');
  const disowned = await changeKeepingAnAdmin(context, claims.sub, (user, now) => {
    const isOpen = user.status === 'active' && user.email_verified_at === null;
    if (!isOpen || user.email_key !== claims.email) throw new Refusal('link_invalid');
    return decideDeletion(user, now);
  });
  if (disowned === undefined) throw new Refusal('link_invalid');
  return disowned;
}
