import type { Context } from '../../context.ts';
import type { Letter } from '../../parts/mail/letter.ts';
import { alreadyRegistered } from '../../parts/mail/messages/already-registered.ts';
import { type NoticeName, notice } from '../../parts/mail/messages/notice.ts';
import { emailKey } from '../../rules/accounts.ts';
import { fingerprint } from '../../rules/fingerprint.ts';
import type { User } from '../../schemas/user.ts';

/** Tells the owner what happened to the account. */
export function tell(
  { outbox, config }: Context,
  user: Pick<User, 'email'>,
  name: NoticeName,
): void {
  if (user.email !== null) outbox.post(user.email, () => notice(name, config.APP_URL));
}

/** What a stranger can make the service write. */
type Occasion = 'sign-up' | 'reset' | 'confirm';

/** Whether one more letter that a stranger can cause may go to this address; then it is counted, and none at the cost of another occasion. */
export const mayPost = (
  { mailboxLimit, clock }: Context,
  { occasion, email }: { occasion: Occasion; email: string },
): boolean => mailboxLimit.allows(fingerprint(`${occasion} ${emailKey(email)}`), clock());

/** A letter that a stranger can cause: only so many go to one address. */
export function postLimited(
  context: Context,
  limit: { occasion: Occasion; email: string },
  compose: () => Letter,
): void {
  if (mayPost(context, limit)) context.outbox.post(limit.email, compose);
}

/** Goes to the address as its owner wrote it: another spelling of it may be another mailbox. */
export function tellTaken(context: Context, { email }: Pick<User, 'email'>): void {
  // Found by its address, so it has one.
  const limit = { occasion: 'sign-up' as const, email: email as string };
  postLimited(context, limit, () => alreadyRegistered(context.config));
}
