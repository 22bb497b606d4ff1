import { KeyRing } from '../../src/parts/keys/key-ring.ts';
import { readKeySet, type SigningKey } from '../../src/parts/keys/key-set.ts';
import { newMasterSecret, newSigningKey } from '../../src/parts/keys/new-keys.ts';
import { buildJws } from '../../src/parts/tokens/jws.ts';
import type { PrivateJwk } from '../../src/schemas/jwk.ts';
import { NOW } from '../rules/samples.ts';
import { keySet } from '../test-app.ts';

export const ISSUER = 'https://issuer.example.com';
export const AUDIENCE = 'https://api.example.com';

/** A key ring with these keys, or with a new ES256 key and a new master secret. */
export const ringOf = (
  keys: PrivateJwk[] = [newSigningKey('ES256', 0), newMasterSecret(0)],
  now = NOW,
): Promise<KeyRing> =>
  KeyRing.open(readKeySet(keySet(...keys)), now, {
    issuer: ISSUER,
    audience: AUDIENCE,
    build: buildJws,
  });

export const signingKeyOf = (jwk: PrivateJwk): SigningKey =>
  readKeySet(keySet(jwk)).signing[0] as SigningKey;
