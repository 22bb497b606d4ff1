import type { Context } from '../../context.ts';
import { randomId } from '../../parts/ids.ts';
import { OAuthRefusal } from '../../rules/oauth-refusal.ts';
import { ACCESS_LIFE } from '../../schemas/claims.ts';
import type { User } from '../../schemas/user.ts';

/** RFC 6749 section 3.3: a scope is never empty, so where there is no role there is none. */
export const scopeOf = (roles: string[]): string | undefined => roles.join(' ') || undefined;

/** The roles that are asked for, which the account must have; all of them where nothing is asked (RFC 6749 section 3.3). */
function granted(account: User, scope: string | undefined): string[] {
  if (scope === undefined) return account.roles;
  const asked = [...new Set(scope.split(' ').filter(Boolean))];
  const missing = asked.some((role) => !account.roles.includes(role));
  if (missing || asked.length === 0)
    throw new OAuthRefusal('invalid_scope', 'The account does not have every role of the scope.');
  return asked;
}

/** An access token for a machine (RFC 6749 section 4.4): no refresh token, no session in the row. */
export function issueForClient(
  { accessTokens, clock }: Context,
  account: User,
  scope: string | undefined,
) {
  const roles = granted(account, scope);
  const session = { id: randomId(), amr: [], created_at: clock() };
  return {
    access_token: accessTokens.issue({ ...account, roles }, session),
    token_type: 'Bearer' as const,
    expires_in: ACCESS_LIFE,
    scope: scopeOf(roles),
  };
}
