import { type Format, nameOf, rolesOf, statusOf } from './format.ts';

/**
 * `wp user list --format=json --fields=user_email,display_name,user_pass,roles` (developer.wordpress.org/cli/commands),
 * or rows of `wp_users`. Hashes: `$wp$2y$` since 6.8, `$P$` before
 * (make.wordpress.org/core/2025/02/17/wordpress-6-8-will-use-bcrypt-for-password-hashing). Nothing says whether an
 * address is verified.
 */
export const wordpress: Format = {
  file: 'the JSON or CSV of wp user list, with user_pass, or rows of wp_users',
  csv: { columns: ['user_email', 'user_pass'] },
  open: async () => (row) => ({
    user: {
      email: row['user_email'],
      name: nameOf(row['display_name'], row['user_login']),
      password_hash: row['user_pass'] ?? null,
      email_verified: false,
      // The role of the owner of a site.
      roles: rolesOf(row['roles']).map((role) => (role === 'administrator' ? 'admin' : role)),
      status: statusOf(false),
    },
  }),
};
