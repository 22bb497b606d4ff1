import t from 'tap';
import { readKeySet, thumbprint } from '../../../src/parts/keys/key-set.ts';
import { newMasterSecret, newSigningKey } from '../../../src/parts/keys/new-keys.ts';
import { SigningAlgorithm } from '../../../src/schemas/jwk.ts';
import { keySet } from '../../test-app.ts';

for (const alg of SigningAlgorithm.options) {
  t.test(`a new ${alg} key is accepted in a key set, and no two are equal`, async (t) => {
    const key = newSigningKey(alg, 7);
    t.match(key, { use: 'sig', alg, nbf: 7, kid: thumbprint(key) });
    t.match(readKeySet(keySet(key)).signing, [{ alg, kid: key.kid, notBefore: 7_000 }]);
    t.not(newSigningKey(alg, 7).kid, key.kid);
  });
}

t.test('a new master secret has 256 bits and signs no access token', async (t) => {
  const key = newMasterSecret(7);
  const set = readKeySet(keySet(key));
  t.same(set.signing, []);
  t.match(set.masters, [{ kid: key.kid, notBefore: 7_000 }]);
  t.equal(set.masters[0]?.secret.length, 32);
  t.same(key['key_ops'], ['deriveKey'], 'the file says what it is for');
  t.not(newMasterSecret(7).kid, key.kid);
});
