import type { Context } from '../../context.ts';
import type { AccessClaims } from '../../schemas/claims.ts';
import type { User } from '../../schemas/user.ts';
import { stands } from '../accounts/fresh.ts';
import { Refusal } from '../refusal.ts';
import { endSession, liveSession, withTombstone } from '../sessions/sessions.ts';
import { scopeOf } from './client-credentials.ts';

/** The claims of an access token that holds, or undefined. */
function accessClaims({ accessTokens }: Context, token: string): AccessClaims | undefined {
  try {
    return accessTokens.read(token);
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** What an access or refresh token says, if it holds by the row as it is now (RFC 7662 section 2.2). */
export async function introspect(context: Context, token: string) {
  const { users, ownTokens, clock } = context;
  const access = accessClaims(context, token);
  const refresh = access ? undefined : ownTokens.read('refresh', token);
  const claims = access ?? refresh;
  const user = claims && (await users.findById(claims.sub));
  if (claims === undefined || user === undefined || !stands(user, claims, clock()))
    return { active: false };
  if (access) {
    const { iss, aud, sub, client_id, iat, exp, jti, sid, roles } = access;
    return {
      active: true,
      token_type: 'Bearer',
      iss,
      aud,
      sub,
      client_id,
      iat,
      exp,
      jti,
      sid,
      scope: scopeOf(roles),
    };
  }
  const { iss, aud, sub, iat, exp, sid, gen } = refresh as NonNullable<typeof refresh>;
  if (liveSession(user, sid, clock())?.gen !== gen) return { active: false };
  return { active: true, token_type: 'refresh_token', iss, aud, sub, iat, exp, sid };
}

/**
 * Ends the session of a token. A machine has none, so its token is revoked by itself. A token of an old version
 * is dead: its session may go on with its owner, after a change of the password, and a thief's copy ends nothing.
 */
export function ended(
  user: User,
  { sid, ver }: Pick<AccessClaims, 'sid' | 'ver'>,
  now: number,
): User {
  if (ver !== user.token_version) return user;
  return user.kind === 'service' ? withTombstone(user, sid, now) : endSession(user, sid, now);
}

/** Whether these claims ended something. */
export const end = async (
  { users, clock }: Context,
  claims: Pick<AccessClaims, 'sub' | 'sid' | 'ver'>,
): Promise<boolean> =>
  (await users.change(claims.sub, (user) => {
    const next = ended(user, claims, clock());
    return { user: next, result: next !== user };
  })) === true;

/** Ends the session of an access or refresh token. Answers whose it was. */
export async function revoke(
  context: Context,
  token: string,
): Promise<{ sub: string; sid: string } | undefined> {
  const claims = accessClaims(context, token) ?? context.ownTokens.read('refresh', token);
  if (claims === undefined) return undefined;
  return (await end(context, claims)) ? { sub: claims.sub, sid: claims.sid } : undefined;
}
