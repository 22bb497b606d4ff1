import type { Context } from '../../context.ts';
import { newUserId } from '../../parts/ids.ts';
import { signUp } from '../../parts/mail/messages/sign-up.ts';
import { emailKey, newPerson } from '../../rules/accounts.ts';
import { Refusal } from '../../rules/refusal.ts';
import { type SignIn, withNewSession } from '../../rules/sessions.ts';
import type { Session, User } from '../../schemas/user.ts';
import { signUpToken } from '../tokens/mailed-tokens.ts';
import { postLimited, tellTaken } from './letters.ts';
import { hashNewPassword } from './new-password.ts';
import { accountLetter } from './unconfirmed-account.ts';

interface Applicant {
  email: string;
  password: string;
  name: string | null;
}

/** The first sign-in. `signal`: aborted when the client has gone. */
interface Circumstances {
  signIn: SignIn;
  signal: AbortSignal;
}

/** Mails a sign-up link, or tells the owner of an existing account. The caller cannot tell which; nothing is stored. */
export async function inviteToSignUp(context: Context, email: string): Promise<void> {
  const taken = await context.users.findByEmail(emailKey(email));
  if (taken) return tellTaken(context, taken);
  postLimited(context, { occasion: 'sign-up', email }, () =>
    signUp(context.config, signUpToken(context, email)),
  );
}

/** Makes the account for the address in the token. Refuses with `link_invalid`, also if the address now has an account. */
export async function completeSignUp(
  context: Context,
  { token, password, name }: { token: string; password: string; name: string | null },
  circumstances: Circumstances,
): Promise<{ user: User; session: Session }> {
  const claims = context.ownTokens.read('sign-up', token);
  const taken = claims && (await context.users.findByEmail(emailKey(claims.sub)));
  if (claims === undefined || taken) throw new Refusal('link_invalid');
  const now = context.clock();
  return create(
    context,
    { email: claims.sub, password, name },
    { ...circumstances, verifiedAt: now },
  );
}

/** Makes an account with an unconfirmed address, and mails a link to confirm it. Refuses with `email_taken`. */
export async function signUpAtOnce(
  context: Context,
  applicant: Applicant,
  circumstances: Circumstances,
): Promise<{ user: User; session: Session }> {
  const created = await create(context, applicant, { ...circumstances, verifiedAt: null });
  const { user, session } = created;
  const { email } = applicant;
  postLimited(context, { occasion: 'confirm', email }, () =>
    accountLetter(context, user, { email, sid: session.id }),
  );
  return created;
}

async function create(
  context: Context,
  { email, password, name }: Applicant,
  { verifiedAt, signIn, signal }: Circumstances & { verifiedAt: number | null },
) {
  const { users, clock, sessionLimits } = context;
  const passwordHash = await hashNewPassword(context, {
    password,
    email,
    path: '/password',
    signal,
    stranger: verifiedAt === null,
  });
  const now = clock();
  const person: User = {
    ...newPerson({ id: newUserId(now), email, name, passwordHash }, now),
    email_verified_at: verifiedAt,
    claimed_at: verifiedAt === null ? 0 : null,
    last_login_at: now,
  };
  const started = withNewSession(person, signIn, now, sessionLimits);
  await users.insert(started.user);
  return started;
}
