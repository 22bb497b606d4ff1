const base64 = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '');

interface Made {
  salt: Buffer;
  hash: Buffer;
}

/** A PBKDF2 hash as a PHC string. `digest` is `sha256` or `sha512`; no other is supported. */
export const pbkdf2Phc = (digest: string, rounds: number, { salt, hash }: Made): string =>
  `$pbkdf2-${digest}$i=${rounds}$${base64(salt)}$${base64(hash)}`;

interface ScryptCost {
  N: number;
  r: number;
  p: number;
}

/** A scrypt hash as a PHC string. */
export const scryptPhc = ({ N, r, p }: ScryptCost, { salt, hash }: Made): string =>
  `$scrypt$ln=${Math.log2(N)},r=${r},p=${p}$${base64(salt)}$${base64(hash)}`;

interface Argon2Cost {
  type: string;
  memory: number;
  passes: number;
  lanes: number;
}

/** An Argon2 hash of version 1.3 as a PHC string. */
export const argon2Phc = (
  { type, memory, passes, lanes }: Argon2Cost,
  { salt, hash }: Made,
): string =>
  `$argon2${type}$v=19$m=${memory},t=${passes},p=${lanes}$${base64(salt)}$${base64(hash)}`;
