import { randomBytes } from 'node:crypto';

/** UUIDv7 (RFC 9562 section 5.7): 48 bits of milliseconds, 74 random bits. `now` in milliseconds. */
export function newUserId(now: number): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** 128 random bits in base64url: the ID of a session, a token or a device. */
export const randomId = (): string => randomBytes(16).toString('base64url');
