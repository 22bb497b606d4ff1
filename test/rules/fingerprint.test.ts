import t from 'tap';
import { fingerprint } from '../../src/rules/fingerprint.ts';

t.test('a fingerprint is the first half of the SHA-256 of a text', async (t) => {
  // FIPS 180-4, "abc".
  const digest = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  t.equal(Buffer.from(fingerprint('abc'), 'base64url').toString('hex'), digest.slice(0, 32));
});

t.test('different texts have different fingerprints, which do not contain the text', async (t) => {
  const texts = ['', 'a', 'b', 'ab', 'password', 'passworD'];
  t.equal(new Set(texts.map(fingerprint)).size, texts.length);
  t.equal(fingerprint('a'), fingerprint('a'));
  t.equal(fingerprint('password'.repeat(1_000)).length, 22);
});
