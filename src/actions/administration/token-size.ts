import type { Context } from '../../context.ts';
import { MAX_ISSUED_LENGTH } from '../../parts/tokens/access-tokens.ts';
import { Refusal } from '../../rules/refusal.ts';
import type { User } from '../../schemas/user.ts';

/** What is wrong if the access tokens of this account would not fit into 1 KB. */
export function faultOfTokenSize(
  { accessTokens }: Pick<Context, 'accessTokens'>,
  user: User,
): string | undefined {
  const length = accessTokens.longest(user);
  return length <= MAX_ISSUED_LENGTH
    ? undefined
    : `roles and claims together are too long: an access token could have ${length} characters, and ${MAX_ISSUED_LENGTH} fit`;
}

/**
 * Refuses with `invalid_input` roles and custom claims with which an access token would not fit: a sign-in would be too late to
 * notice. A change that makes it no longer than it was `before` is accepted.
 */
export function assertTokenFits(
  context: Pick<Context, 'accessTokens'>,
  { before, after }: { before?: User; after: User },
): void {
  if (before?.roles === after.roles && before.claims === after.claims) return;
  const message = faultOfTokenSize(context, after);
  if (message === undefined) return;
  const { accessTokens } = context;
  if (before && accessTokens.longest(after) <= accessTokens.longest(before)) return;
  const isOfRoles = before?.claims === after.claims || Object.keys(after.claims).length === 0;
  const path = isOfRoles ? '/roles' : '/claims';
  throw new Refusal('invalid_input', { errors: [{ path, message }] });
}
