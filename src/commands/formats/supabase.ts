import {
  type Format,
  idOf,
  isSet,
  isTrue,
  nameOf,
  type Row,
  rolesOf,
  rowIn,
  rowsIn,
  statusOf,
} from './format.ts';

/** A verified TOTP factor: its secret is base32 (supabase/auth, internal/models/factor.go). */
const isTotp = ({ factor_type, status }: Row) => factor_type === 'totp' && status === 'verified';

/**
 * Rows of `auth.users` (supabase.com/docs/guides/auth/users), each with its rows of `auth.mfa_factors` as
 * `mfa_factors`. Roles come from `raw_app_meta_data` only: users can write `raw_user_meta_data` themselves.
 */
export const supabase: Format = {
  file: 'rows of auth.users as JSON or CSV, with mfa_factors',
  csv: { columns: ['email', 'encrypted_password', 'mfa_factors'] },
  open: async () => (row) => {
    const { email, encrypted_password, email_confirmed_at, banned_until, deleted_at } = row;
    const own = rowIn(row, 'raw_user_meta_data');
    const factors = rowsIn(row, 'mfa_factors').filter(({ status }) => status === 'verified');
    const totp = factors.find(isTotp);
    return {
      user: {
        ...idOf(row['id']),
        email,
        name: nameOf(own['full_name'], own['name']),
        password_hash: isSet(encrypted_password) ? encrypted_password : null,
        email_verified: isSet(email_confirmed_at),
        roles: rolesOf(rowIn(row, 'raw_app_meta_data')['roles']),
        status: statusOf(isSet(banned_until) || isSet(deleted_at) || isTrue(row['is_anonymous'])),
        ...(totp && { totp_secret: totp['secret'] }),
      },
      hasLostFactor: factors.length > (totp ? 1 : 0),
    };
  },
};
