import type { Context } from '../../context.ts';
import { randomId } from '../../parts/ids.ts';
import { newSignIn } from '../../parts/mail/messages/new-sign-in.ts';
import { type SessionLimits, type SignIn, withNewSession } from '../../rules/sessions.ts';
import { spokenDevice, spokenTime } from '../../rules/spoken.ts';
import type { Session, User } from '../../schemas/user.ts';
import { postLimited } from '../accounts/letters.ts';
import type { Holder } from '../tokens/token-pair.ts';

/** A session that was just started, and written. */
export interface Started {
  user: User;
  session: Session;
  /** The ID of the device, if its token was sent. */
  device: string | undefined;
  /** The account had no sign-in before: its owner has just used a mailed link, or was imported. */
  isFirst: boolean;
}

/** The first step is done, and the second factor is still required. `device`: its ID, if it is a known one. */
export interface HalfSignedIn {
  user: User;
  session?: undefined;
  device: string | undefined;
  /** How the first step was proven, if not by the password. */
  amr?: string[];
}

/** How a sign-in ended. `event`: what became of the account besides. */
export interface Arrived<Who = Holder | HalfSignedIn> {
  who: Who;
  event?: 'account.created' | 'identity.linked';
}

/** What starts a session. `device`: its ID, if it is a known one. `now`: milliseconds. */
interface Start {
  signIn: SignIn;
  device: string | undefined;
  now: number;
  limits: SessionLimits;
}

/** A new session for the user that the row becomes. */
export const startedFor = (
  row: User,
  next: User,
  { signIn, device, now, limits }: Start,
): Started => ({
  ...withNewSession({ ...next, last_login_at: now }, signIn, now, limits),
  device,
  isFirst: row.last_login_at === null,
});

/**
 * Where every sign-in ends, whatever was proven: the holder of the new tokens. If the account does not know the device, its owner
 * gets a letter, after the answer and at most three an hour.
 */
export function signedIn(context: Context, { user, session, device, isFirst }: Started): Holder {
  const { config } = context;
  const { email } = user;
  if (device === undefined && !isFirst && email !== null && config.SIGN_IN_LETTERS)
    postLimited(context, { occasion: 'sign-in', email }, () =>
      newSignIn(config, {
        at: spokenTime(session.created_at),
        device: spokenDevice(session.client),
      }),
    );
  return { user, session, device: device ?? randomId() };
}
