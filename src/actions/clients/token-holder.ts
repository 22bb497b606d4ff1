import type { Context } from '../../context.ts';
import { Refusal } from '../../rules/refusal.ts';
import { liveSession, tokenTypeOf, withSessionEnded, withTombstone } from '../../rules/sessions.ts';
import { type AccessClaims, customClaimsIn } from '../../schemas/claims.ts';
import type { User } from '../../schemas/user.ts';
import { stands } from '../accounts/caller.ts';
import { scopeOf } from './client-credentials.ts';

/** The result of `read`, or undefined if it refuses the token. */
function accessClaims(read: () => AccessClaims): AccessClaims | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** RFC 7662 section 2.2: the claims of an access or refresh token that is valid by the row as it is now. */
export async function introspect(context: Context, token: string) {
  const { users, accessTokens, ownTokens, clock } = context;
  const access = accessClaims(() => accessTokens.read(token, true));
  const refresh = access ? undefined : ownTokens.read('refresh', token);
  const claims = access ?? refresh;
  const user = claims && (await users.findById(claims.sub));
  if (user === undefined) return { active: false };
  if (access) {
    if (!stands(user, access, clock())) return { active: false };
    const { iss, aud, sub, client_id, iat, exp, jti, sid, cnf, roles } = access;
    return {
      ...customClaimsIn(access),
      active: true,
      token_type: tokenTypeOf({ jkt: cnf?.jkt }),
      iss,
      aud,
      sub,
      client_id,
      iat,
      exp,
      jti,
      sid,
      cnf,
      scope: scopeOf(roles),
    };
  }
  const { iss, aud, sub, iat, exp, sid, gen, ver } = refresh as NonNullable<typeof refresh>;
  const session = liveSession(user, sid, clock());
  const isCurrent = session !== undefined && gen >= session.gen && ver >= user.token_version;
  if (!isCurrent || user.status !== 'active') return { active: false };
  return { active: true, token_type: 'refresh_token', iss, aud, sub, iat, exp, sid };
}

/**
 * Ends the session of a token. The token of a service account has none, so the token itself is revoked. A token from
 * before a password change ends nothing: a thief may hold it, while the owner uses the session.
 */
export function withTokenRevoked(
  user: User,
  { sid, ver }: Pick<AccessClaims, 'sid' | 'ver'>,
  now: number,
): User {
  if (user.kind === 'service')
    return ver < user.access_version ? user : withTombstone(user, sid, now);
  return ver < user.token_version ? user : withSessionEnded(user, sid, now);
}

/** Returns whether something was revoked. */
export const revokeByClaims = async (
  { users, clock }: Context,
  claims: Pick<AccessClaims, 'sub' | 'sid' | 'ver'>,
): Promise<boolean> =>
  (await users.change(claims.sub, (user) => {
    const next = withTokenRevoked(user, claims, clock());
    return { user: next, result: next !== user };
  })) === true;

/** RFC 7009: ends the session of an access or refresh token, and returns whose it was. undefined: nothing to revoke. */
export async function revoke(
  context: Context,
  token: string,
): Promise<{ sub: string; sid: string } | undefined> {
  const { accessTokens, ownTokens } = context;
  const access = accessClaims(() => accessTokens.readEvenRevoked(token, true));
  const claims = access ?? ownTokens.read('refresh', token);
  if (claims === undefined) return undefined;
  return (await revokeByClaims(context, claims)) ? { sub: claims.sub, sid: claims.sid } : undefined;
}
