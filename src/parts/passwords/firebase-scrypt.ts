import { createCipheriv, scrypt as scryptCallback } from 'node:crypto';
import { promisify } from 'node:util';
import { isSame } from '../is-same.ts';
import { isBearable } from './hash-cost.ts';

const scrypt = promisify<string, Buffer, number, object, Buffer>(scryptCallback);

/** Firebase's scrypt (github.com/firebase/scrypt), in the text form of Supabase Auth. */
const FORM =
  /^\$fbscrypt\$v=1,n=(?<n>[1-9]\d?),r=(?<r>[1-9]\d?),p=1(?:,ss=(?<separator>[A-Za-z0-9+/=]*))?,sk=(?<key>[A-Za-z0-9+/=]{22,})\$(?<salt>[A-Za-z0-9+/=]+)\$(?<hash>[A-Za-z0-9+/=]{22,})$/;

/** KiB that scrypt needs (RFC 7914 section 2). */
const memoryOf = (n: string | undefined, r: string | undefined) => (2 ** Number(n) * Number(r)) / 8;

const fieldsOf = (hash: string): Record<string, string> => FORM.exec(hash)?.groups ?? {};

/** Whether this is a hash of Firebase with an acceptable cost. */
export function isFirebaseScrypt(hash: string): boolean {
  const { n, r } = fieldsOf(hash);
  return n !== undefined && isBearable({ memory: memoryOf(n, r), passes: 1 });
}

/** For a hash that `isFirebaseScrypt` accepts: scrypt makes the key with which the project's signer key is encrypted. */
export async function matchesFirebaseScrypt(hash: string, password: string): Promise<boolean> {
  const { n, r, separator = '', key, salt, hash: stored } = fieldsOf(hash);
  const [salted, signer, expected] = [salt, key, stored].map((text) =>
    Buffer.from(text as string, 'base64'),
  ) as [Buffer, Buffer, Buffer];
  const cost = { N: 2 ** Number(n), r: Number(r), p: 1, maxmem: memoryOf(n, r) * 1_024 * 2 };
  const saltWithSeparator = Buffer.concat([salted, Buffer.from(separator, 'base64')]);
  const derived = await scrypt(password, saltWithSeparator, 32, cost);
  const made = createCipheriv('aes-256-ctr', derived, Buffer.alloc(16)).update(signer);
  return isSame(made, expected);
}
