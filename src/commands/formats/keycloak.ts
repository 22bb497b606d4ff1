import { Secret } from 'otpauth';
import {
  type Format,
  idOf,
  isTrue,
  nameOf,
  type Row,
  rolesOf,
  rowIn,
  rowsIn,
  statusOf,
} from './format.ts';
import { argon2Phc, pbkdf2Phc } from './phc.ts';

/** `secretData` and `credentialData` are JSON in a text. */
const partsOf = (credential: Row): { secret: Row; data: Row } => {
  const [secret, data] = ['secretData', 'credentialData'].map(
    (member) => JSON.parse(String(credential[member])) as Row,
  ) as [Row, Row];
  return { secret, data };
};

const bytesOf = (value: unknown): Buffer => Buffer.from(String(value), 'base64');
/** Of `additionalParameters`, whose values are arrays of one text. */
const first = (value: unknown): string => String(Array.isArray(value) ? value[0] : value);

function hashOf(credential: Row): string {
  const { secret, data } = partsOf(credential);
  const made = { salt: bytesOf(secret['salt']), hash: bytesOf(secret['value']) };
  const rounds = Number(data['hashIterations']);
  const algorithm = String(data['algorithm']);
  if (algorithm !== 'argon2') return pbkdf2Phc(algorithm.replace('pbkdf2-', ''), rounds, made);
  const { type, version, memory, parallelism } = rowIn(data, 'additionalParameters');
  if (first(version) !== '1.3') return 'of another version of Argon2';
  const [kib, lanes] = [Number(first(memory)), Number(first(parallelism))];
  return argon2Phc({ type: first(type), memory: kib, passes: rounds, lanes }, made);
}

/** In base32; undefined: not supported, as other apps than Google's would be needed. */
function totpOf(credential: Row): string | undefined {
  const { secret, data } = partsOf(credential);
  const { subType, digits, period, algorithm } = data;
  const isUsual = subType === 'totp' && digits === 6 && period === 30 && algorithm === 'HmacSHA1';
  if (!isUsual) return undefined;
  const value = String(secret['value']);
  // Without this member, the secret is the bytes of the text.
  return data['secretEncoding'] === 'BASE32' ? value : Secret.fromUTF8(value).base32;
}

/** Every realm has these. They mean nothing elsewhere. */
const isOwnRole = (role: string) =>
  /^(default-roles-.*|offline_access|uma_authorization)$/.test(role);

/**
 * An export of a realm by `kc.sh export --users realm_file` (keycloak.org/server/importExport). Its shape is that of
 * UserRepresentation and CredentialRepresentation; the data are those of PasswordCredentialData and OTPCredentialData.
 */
export const keycloak: Format = {
  file: 'the export of a realm with its users, by kc.sh export',
  member: 'users',
  open: async () => (row) => {
    const credentials = rowsIn(row, 'credentials');
    const password = credentials.find(({ type }) => type === 'password');
    const others = credentials.filter(({ type }) => type !== 'password');
    const totps = others.filter(({ type }) => type === 'otp').map(totpOf);
    const [totp] = totps.filter((secret) => secret !== undefined);
    const names = [row['firstName'], row['lastName']].filter((name) => typeof name === 'string');
    return {
      user: {
        ...idOf(row['id']),
        email: row['email'],
        name: nameOf(names.join(' ')),
        password_hash: password ? hashOf(password) : null,
        email_verified: isTrue(row['emailVerified']),
        roles: rolesOf(row['realmRoles']).filter((role) => !isOwnRole(role)),
        status: statusOf(row['enabled'] === false),
        ...(totp !== undefined && { totp_secret: totp }),
      },
      hasLostFactor: others.length > (totp === undefined ? 0 : 1),
    };
  },
};
