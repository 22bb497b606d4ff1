import type { Context } from '../../context.ts';
import type { Letter } from '../../parts/mail/letter.ts';
import { alreadyRegistered } from '../../parts/mail/messages/already-registered.ts';
import { type NoticeName, notice } from '../../parts/mail/messages/notice.ts';
import { emailKey } from '../../rules/accounts.ts';
import { fingerprint } from '../../rules/fingerprint.ts';
import type { User } from '../../schemas/user.ts';

type Owner = Pick<User, 'email' | 'email_verified_at'>;

/** Mails the owner. To an address that nobody has confirmed, which may be that of somebody else, at most three an hour. */
export function postToOwner(
  context: Context,
  { email, email_verified_at }: Owner,
  compose: () => Letter,
): void {
  if (email === null) return;
  if (email_verified_at === null) postLimited(context, { occasion: 'notice', email }, compose);
  else context.outbox.post(email, compose);
}

/** Mails the owner a notice of what happened to the account. */
export function tell(context: Context, owner: Owner, name: NoticeName): void {
  postToOwner(context, owner, () => notice(name, context.config.APP_URL));
}

/** Why a letter goes out that anyone can cause. */
type Occasion = 'sign-up' | 'reset' | 'confirm' | 'sign-in' | 'passkey' | 'code' | 'notice';

/** A letter that is counted. `network`: who asks for it, if people ask for it. `device`: the ID of the known device that asks; its letters are counted on their own. */
interface Limit {
  occasion: Occasion;
  email: string;
  network?: string;
  device?: string | undefined;
}

/** Counts a letter that anyone can cause, or returns false: this address has had enough. Each occasion is counted on its own. */
export const countLetter = (
  { mailboxLimit, clock }: Context,
  { occasion, email, network, device }: Limit,
): boolean => {
  const own = device === undefined ? '' : ` ${device}`;
  const key = fingerprint(`${occasion} ${emailKey(email)}${own}`);
  return mailboxLimit.allows({ key, network, at: clock() });
};

/** Posts a letter that anyone can cause, unless the address has had enough of them. */
export function postLimited(context: Context, limit: Limit, compose: () => Letter): void {
  if (countLetter(context, limit)) context.outbox.post(limit.email, compose);
}

/** Tells the owner that the address has an account already. Uses the stored spelling: another may be another mailbox. */
export function tellTaken(context: Context, { email }: Pick<User, 'email'>): void {
  // The user was found by the address.
  const limit = { occasion: 'sign-up' as const, email: email as string };
  postLimited(context, limit, () => alreadyRegistered(context.config));
}
