import { readFileSync } from 'node:fs';
import { UsageError } from '../usage-error.ts';
import {
  type Format,
  isSet,
  isTrue,
  nameOf,
  type Row,
  rolesOf,
  rowsIn,
  statusOf,
} from './format.ts';

interface HashConfig {
  key: string;
  separator: string;
  rounds: string;
  memCost: string;
}

/** Reads what the console shows as "Password hash parameters": `name: value,` on each line. */
function readHashConfig(file: string | undefined): HashConfig {
  if (file === undefined) throw new UsageError('--from firebase needs --hash-config FILE');
  const text = readFileSync(file, 'utf8');
  const parameter = (name: string): string => {
    const [, value] = new RegExp(`${name}"?: *"?([^\\s",}]+)`).exec(text) ?? [];
    if (value === undefined) throw new UsageError(`${file} has no ${name}`);
    return value;
  };
  return {
    key: parameter('base64_signer_key'),
    separator: parameter('base64_salt_separator'),
    rounds: parameter('rounds'),
    memCost: parameter('mem_cost'),
  };
}

/** Exports have either alphabet of base64. */
const standard = (text: unknown): string => String(text).replaceAll('-', '+').replaceAll('_', '/');

function claimsOf(attributes: unknown): Row {
  try {
    return JSON.parse(String(attributes)) ?? {};
  } catch {
    return {};
  }
}

/**
 * `firebase auth:export users.json` (firebase.google.com/docs/cli/auth), with the parameters of the project's scrypt
 * (github.com/firebase/scrypt). Roles are the custom claim `roles`, which only an administrator can set.
 */
export const firebase: Format = {
  file: 'the JSON of firebase auth:export; needs --hash-config',
  member: 'users',
  open: async ({ hashConfig }) => {
    const { key, separator, rounds, memCost } = readHashConfig(hashConfig);
    const start = `$fbscrypt$v=1,n=${memCost},r=${rounds},p=1,ss=${separator},sk=${standard(key)}`;
    return (row) => ({
      user: {
        email: row['email'],
        name: nameOf(row['displayName']),
        password_hash: isSet(row['passwordHash'])
          ? `${start}$${standard(row['salt'])}$${standard(row['passwordHash'])}`
          : null,
        email_verified: isTrue(row['emailVerified']),
        roles: rolesOf(claimsOf(row['customAttributes'])['roles']),
        status: statusOf(isTrue(row['disabled'])),
      },
      hasLostFactor: rowsIn(row, 'mfaInfo').length > 0,
    });
  },
};
