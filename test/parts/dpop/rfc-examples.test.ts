import t from 'tap';
import { DpopProofs } from '../../../src/parts/dpop/dpop-proofs.ts';
import { readProof } from '../../../src/parts/dpop/proof-jws.ts';
import { Peers } from '../../../src/parts/peers.ts';

/** RFC 9449. Both proofs have the same header. */
const HEADER =
  'eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19';
/** Section 4.1. */
const AT_TOKEN_ENDPOINT = `${HEADER}.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg`;
/** Section 7.1, with its access token. */
const AT_RESOURCE = `${HEADER}.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA`;
const TOKEN = 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU';
/** Section 6.1. */
const THUMBPRINT = '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I';

const proofsAt = (issuer: string, second: number) =>
  new DpopProofs({
    issuer,
    needsNonce: false,
    nonceKey: () => Buffer.alloc(32),
    peers: new Peers(),
    clock: () => second * 1_000,
  });

t.test('the proof of RFC 9449 section 4.1 counts at its time, once', async (t) => {
  const request = { proof: AT_TOKEN_ENDPOINT, method: 'POST', path: '/token' };
  const issuer = 'https://server.example.com';
  const proofs = proofsAt(issuer, 1_562_262_616);
  t.same(proofs.check(request), { jkt: THUMBPRINT, usesNonces: false });
  t.throws(() => proofs.check(request), { code: 'invalid_dpop_proof' }, 'again');
  const at = (second: number) => () => proofsAt(issuer, 1_562_262_616 + second).check(request);
  for (const second of [-5, 60]) t.doesNotThrow(at(second), `${second} seconds later`);
  for (const second of [-6, 61]) t.throws(at(second), { code: 'use_dpop_nonce' });
});

t.test('the proof of RFC 9449 section 7.1 counts with its access token alone', async (t) => {
  const issuer = 'https://resource.example.org';
  const request = { proof: AT_RESOURCE, method: 'GET', path: '/protectedresource' };
  const check = (token: string) => proofsAt(issuer, 1_562_262_618).check({ ...request, token });
  t.equal(check(TOKEN).jkt, THUMBPRINT);
  t.throws(() => check(`${TOKEN}x`), { code: 'invalid_dpop_proof' });
  t.throws(
    () => proofsAt('https://server.example.com', 1_562_262_618).check({ ...request, token: TOKEN }),
    { code: 'invalid_dpop_proof' },
    'another host',
  );
});

t.test('a changed byte of the proof is noticed', async (t) => {
  t.equal(readProof(AT_RESOURCE)?.thumbprint, THUMBPRINT);
  t.equal(readProof(AT_RESOURCE.replace(/A$/, 'w')), undefined);
  t.equal(readProof(`${AT_RESOURCE}=`), undefined);
  t.equal(readProof(AT_RESOURCE.replace('eyJqdGki', 'eyJqdGkj')), undefined);
});
