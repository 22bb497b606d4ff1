import { hkdfSync } from 'node:crypto';
import type { OwnKind } from '../../schemas/claims.ts';
import type { Lifetime, MasterSecret } from './key-set.ts';

/** Derives a 32-byte key. Each purpose has its own label, so that no key has two uses (RFC 8725 section 3.12). */
export const derive = (
  master: Buffer,
  purpose: OwnKind | 'totp' | 'decoys' | 'clients' | 'codes' | 'nonces',
): Buffer => Buffer.from(hkdfSync('sha256', master, '', `latchkey/${purpose}`, 32));

/** The keys of a master secret that stay in use for long: they hide addresses in the database and in Redis, and make the nonces of DPoP proofs. */
export interface LastingKeys extends Lifetime {
  decoys: Buffer;
  clients: Buffer;
  nonces: Buffer;
}

export const lastingKeysOf = ({ secret, ...life }: MasterSecret): LastingKeys => ({
  ...life,
  decoys: derive(secret, 'decoys'),
  clients: derive(secret, 'clients'),
  nonces: derive(secret, 'nonces'),
});
