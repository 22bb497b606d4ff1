import {
  type Format,
  idOf,
  isSet,
  isTrue,
  nameOf,
  type Row,
  rolesOf,
  rowIn,
  statusOf,
} from './format.ts';
import { pbkdf2Phc, scryptPhc } from './phc.ts';

/**
 * Hashes of django/contrib/auth/hashers.py: `algorithm$…`. The salt is hashed as text. One that starts with `!` is no
 * password. `bcrypt_sha256` stays as it is.
 */
function hashOf(password: unknown): unknown {
  const text = String(password);
  if (!isSet(password) || text.startsWith('!')) return null;
  const [algorithm, ...parts] = text.split('$');
  const made = (salt: string, hash: string) => ({
    salt: Buffer.from(salt),
    hash: Buffer.from(hash, 'base64'),
  });
  const [a = '', b = '', c = '', d = '', e = ''] = parts;
  if (algorithm === 'pbkdf2_sha256') return pbkdf2Phc('sha256', Number(a), made(b, c));
  if (algorithm === 'scrypt')
    return scryptPhc({ N: Number(a), r: Number(c), p: Number(d) }, made(b, e));
  if (algorithm === 'argon2' || algorithm === 'bcrypt')
    return text.slice(algorithm.length + (algorithm === 'bcrypt' ? 1 : 0));
  return text;
}

/** With `--natural-foreign`, a group is an array with its name. */
const groupsIn = ({ groups }: Row): unknown[] => (Array.isArray(groups) ? groups.flat() : []);

/**
 * `manage.py dumpdata auth.user --natural-foreign` (docs.djangoproject.com/en/stable/topics/serialization), also of a
 * custom model of users. Superusers have the role admin.
 */
export const django: Format = {
  file: 'the JSON of manage.py dumpdata auth.user --natural-foreign',
  open: async () => (row) => {
    const fields = rowIn(row, 'fields');
    const { first_name, last_name, username } = fields;
    const names = [first_name, last_name].filter((name) => typeof name === 'string');
    return {
      user: {
        ...idOf(row['pk']),
        email: fields['email'],
        name: nameOf(names.join(' '), username),
        password_hash: hashOf(fields['password']),
        email_verified: false,
        roles: rolesOf([...groupsIn(fields), ...(isTrue(fields['is_superuser']) ? ['admin'] : [])]),
        status: statusOf(fields['is_active'] === false),
      },
    };
  },
};
