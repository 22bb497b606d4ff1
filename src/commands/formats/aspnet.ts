import { type Format, idOf, isSet, isTrue, nameOf, rolesOf, statusOf } from './format.ts';
import { pbkdf2Phc } from './phc.ts';

const V3 = 1;
/** KeyDerivationPrf: 0 is HMACSHA1, which is not supported. */
const DIGESTS: Record<number, string> = { 1: 'sha256', 2: 'sha512' };
const HEADER = 13;

/**
 * Version 3 (dotnet/aspnetcore, src/Identity/Extensions.Core/src/PasswordHasher.cs): a 1, then PRF, rounds and length of
 * the salt in four bytes each (big-endian), the salt, the hash.
 */
function hashOf(text: unknown): unknown {
  const bytes = Buffer.from(String(text), 'base64');
  if (bytes[0] !== V3 || bytes.length < HEADER) return text;
  const digest = DIGESTS[bytes.readUInt32BE(1)];
  if (digest === undefined) return text;
  const end = HEADER + bytes.readUInt32BE(9);
  const made = { salt: bytes.subarray(HEADER, end), hash: bytes.subarray(end) };
  return pbkdf2Phc(digest, bytes.readUInt32BE(5), made);
}

/**
 * Rows of `AspNetUsers` of ASP.NET Core Identity (learn.microsoft.com/aspnet/core/security/authentication), with the
 * value of the token `AuthenticatorKey` (base32) and the names of the roles, if the query adds them. A lock that has
 * not ended disables the user.
 */
export const aspnet: Format = {
  file: 'rows of AspNetUsers as JSON or CSV, with AuthenticatorKey and Roles',
  csv: { columns: ['Email', 'PasswordHash', 'TwoFactorEnabled'] },
  open:
    async ({ now }) =>
    (row) => {
      const hasFactor = isTrue(row['TwoFactorEnabled']);
      const { AuthenticatorKey: key } = row;
      return {
        user: {
          ...idOf(row['Id']),
          email: row['Email'],
          name: nameOf(row['Name'], row['UserName']),
          password_hash: isSet(row['PasswordHash']) ? hashOf(row['PasswordHash']) : null,
          email_verified: isTrue(row['EmailConfirmed']),
          roles: rolesOf(row['Roles']),
          status: statusOf(Date.parse(String(row['LockoutEnd'])) > now),
          ...(hasFactor && isSet(key) && { totp_secret: key }),
        },
        hasLostFactor: hasFactor && !isSet(key),
      };
    },
};
