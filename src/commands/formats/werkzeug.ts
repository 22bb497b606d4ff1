import { type Format, idOf, isSet, isTrue, nameOf, rolesOf, statusOf } from './format.ts';
import { pbkdf2Phc, scryptPhc } from './phc.ts';

const HASH = /^(?<method>scrypt|pbkdf2):(?<costs>[\w:]+)\$(?<salt>[^$]+)\$(?<hash>[0-9a-f]+)$/;

/** `method:costs$salt$hash` of werkzeug/security.py. The salt is hashed as text. */
function hashOf(text: unknown): unknown {
  const { method, costs = '', salt = '', hash = '' } = HASH.exec(String(text))?.groups ?? {};
  if (method === undefined) return text ?? null;
  const made = { salt: Buffer.from(salt), hash: Buffer.from(hash, 'hex') };
  const [a = '', b, c] = costs.split(':');
  return method === 'scrypt'
    ? scryptPhc({ N: Number(a), r: Number(b), p: Number(c) }, made)
    : pbkdf2Phc(a, Number(b), made);
}

/**
 * Rows of the table of users of a Flask application (werkzeug.palletsprojects.com/en/stable/utils, `generate_password_hash`):
 * `id`, `email`, `name`, `password_hash` or `password`, `roles`, `active`, `email_verified`.
 */
export const werkzeug: Format = {
  file: 'rows of the users of a Flask application as JSON or CSV',
  csv: { columns: ['email', 'password_hash'] },
  open: async () => (row) => ({
    user: {
      ...idOf(row['id']),
      email: row['email'],
      name: nameOf(row['name'], row['username']),
      password_hash: hashOf(row['password_hash'] ?? row['password']),
      email_verified: isTrue(row['email_verified']),
      roles: rolesOf(row['roles']),
      status: statusOf(isSet(row['active']) && !isTrue(row['active'])),
    },
  }),
};
