import type { Context } from '../../../context.ts';
import { notice } from '../../../parts/mail/messages/notice.ts';
import { HARDWARE_KEY, SOFTWARE_KEY } from '../../../rules/factors/passkey.ts';
import { withPasskeyUsed } from '../../../rules/passkeys.ts';
import { Refusal } from '../../../rules/refusal.ts';
import type { User } from '../../../schemas/user.ts';
import type { Assertion } from '../../../schemas/webauthn.ts';
import { postLimited } from '../../accounts/letters.ts';
import type { Check, Provable } from '../provable.ts';
import { answeredChallenge, namedUser } from './challenge.ts';

/** In the authenticator data (WebAuthn section 6.1): the flags, and the one of them that says that the key may leave its device. */
const FLAGS = 32;
const BACKUP_ELIGIBLE = 0x08;

/** Those of the authenticator that has signed. */
export function amrOf({ response: { authenticatorData } }: Assertion): string[] {
  const flags = Buffer.from(authenticatorData, 'base64url')[FLAGS] ?? 0;
  return (flags & BACKUP_ELIGIBLE) === 0 ? HARDWARE_KEY : SOFTWARE_KEY;
}

/** Tells the owner, and refuses with `passkey_copied`. */
function refuseCopied(context: Context, { id, email }: User): never {
  if (email !== null)
    postLimited(context, { occasion: 'passkey', email }, () =>
      notice('passkey.copied', context.config.APP_URL),
    );
  throw new Refusal('passkey_copied', { user: id });
}

/**
 * Verifies an assertion, with as much work if the user or the passkey is unknown. The check that follows uses up its
 * challenge. Refuses with `passkey_copied` if the signature counter went back.
 */
export async function prepareAssertion(
  context: Context,
  { user, given }: { user: User | undefined; given: Assertion },
): Promise<Check> {
  const challenge = answeredChallenge(context, given, user);
  const owner = user?.id === namedUser(given) ? user : undefined;
  const passkey = owner?.passkeys.find(({ id }) => id === given.id);
  const verified = await context.passkeys.verify(given, passkey);
  if (!owner || !passkey || !verified || !challenge) return () => undefined;
  const use = { id: passkey.id, publicKey: passkey.public_key, challenge, ...verified };
  if (withPasskeyUsed(owner, use, context.clock()) === 'copied') refuseCopied(context, owner);
  return (row, now) => {
    const next = withPasskeyUsed(row, use, now);
    // Another assertion may have come first.
    return typeof next === 'object' ? next : undefined;
  };
}

/** A passkey (WebAuthn). It signs in by itself, too: `sign-in.ts`. */
export const passkey: Provable<Assertion> = {
  amr: amrOf,
  prepare: (context, { user, given }) => prepareAssertion(context, { user, given }),
};
