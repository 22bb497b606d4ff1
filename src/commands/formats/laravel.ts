import { type Format, idOf, isSet, nameOf, rolesOf } from './format.ts';

/**
 * Rows of `users` (laravel.com/docs/hashing: bcrypt or Argon2id; laravel.com/docs/fortify: the columns of two-factor
 * authentication, which are encrypted with a key that is not in the file). Roles are a member `roles`, if the query
 * adds it.
 */
export const laravel: Format = {
  file: 'rows of users as JSON or CSV',
  csv: { columns: ['email', 'password'] },
  open: async () => (row) => ({
    user: {
      ...idOf(row['id']),
      email: row['email'],
      name: nameOf(row['name']),
      password_hash: row['password'] ?? null,
      email_verified: isSet(row['email_verified_at']),
      roles: rolesOf(row['roles']),
    },
    hasLostFactor: isSet(row['two_factor_secret']),
  }),
};
