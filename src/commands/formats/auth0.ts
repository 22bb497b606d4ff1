import { type Format, isTrue, nameOf, rolesOf, rowIn, rowsIn, statusOf } from './format.ts';

/**
 * The export of password hashes that Auth0's support makes, in NDJSON (support.auth0.com, "How to Use the Password
 * Hashes Export from Auth0"). Members of a bulk user export may be added to its lines. Roles come from `app_metadata`
 * only: users can write `user_metadata` themselves.
 */
export const auth0: Format = {
  file: 'the NDJSON of the password hashes export',
  open: async () => (row) => {
    // "The root attributes may not be present, but should be available within the identifiers array."
    const identifier = rowsIn(row, 'identifiers').find(({ type }) => type === 'email') ?? {};
    const { multifactor } = row;
    return {
      user: {
        email: row['email'] ?? identifier['value'],
        name: nameOf(row['name']),
        password_hash: row['passwordHash'] ?? null,
        email_verified: isTrue(row['email_verified'] ?? identifier['verified']),
        roles: rolesOf(rowIn(row, 'app_metadata')['roles']),
        status: statusOf(isTrue(row['blocked'])),
      },
      hasLostFactor: Array.isArray(multifactor) && multifactor.length > 0,
    };
  },
};
