import type { Context } from '../../context.ts';
import { randomId } from '../../parts/ids.ts';
import { OAuthRefusal } from '../../rules/oauth-refusal.ts';
import { type Binding, tokenTypeOf } from '../../rules/sessions.ts';
import { ACCESS_LIFE } from '../../schemas/claims.ts';
import type { User } from '../../schemas/user.ts';

/** undefined without roles: a scope is never empty (RFC 6749 section 3.3). */
export const scopeOf = (roles: string[]): string | undefined => roles.join(' ') || undefined;

/** The roles of the scope, which the account must have; all its roles without a scope (RFC 6749 section 3.3). */
function grantedRolesOf(account: User, scope: string | undefined): string[] {
  if (scope === undefined) return account.roles;
  const asked = [...new Set(scope.split(' ').filter(Boolean))];
  const missing = asked.some((role) => !account.roles.includes(role));
  if (missing || asked.length === 0)
    throw new OAuthRefusal('invalid_scope', 'The account does not have every role in the scope.');
  return asked;
}

/** An access token for a service account (RFC 6749 section 4.4), for `audience`. No refresh token, and no session in the row. */
export function issueForServiceAccount(
  { accessTokens, clock }: Context,
  account: User,
  { scope, audience, ...binding }: { scope?: string | undefined; audience?: string } & Binding,
) {
  const roles = grantedRolesOf(account, scope);
  const granted = scopeOf(roles);
  const session = { id: randomId(), amr: [], created_at: clock(), ...binding };
  return {
    access_token: accessTokens.issue({ ...account, roles }, session, { scope: granted, audience }),
    token_type: tokenTypeOf(binding),
    expires_in: ACCESS_LIFE,
    scope: granted,
  };
}
