import t from 'tap';
import { DpopProofs } from '../../../src/parts/dpop/dpop-proofs.ts';
import { SeenProofs } from '../../../src/parts/dpop/seen-proofs.ts';
import { Peers, type Told } from '../../../src/parts/peers.ts';
import { clientKey, proofOf } from '../../dpop.ts';

t.test('a proof counts once, whenever it says that it was made', async (t) => {
  const seen = new SeenProofs();
  t.equal(seen.add('a', 100, 40), true);
  t.equal(seen.add('a', 100, 40), false);
  t.equal(seen.add('a', 99, 40), false, 'with another time');
  t.equal(seen.add('b', 100, 40), true);
  t.equal(seen.size, 2);
});

t.test('what is too old to count anyway is forgotten', async (t) => {
  const seen = new SeenProofs();
  seen.add('a', 100, 40);
  seen.add('b', 101, 41);
  seen.add('c', 161, 101);
  t.equal(seen.size, 2);
  seen.add('d', 300, 240);
  t.equal(seen.size, 1);
  t.equal(seen.hasForgotten(100), false, 'nothing that is in time was forgotten');
});

t.test('a flood shortens the time in which proofs count, and none counts twice', async (t) => {
  const seen = new SeenProofs(10);
  for (let index = 0; index < 8; index += 1) seen.add(`old ${index}`, 100, 40);
  seen.add('new 0', 130, 70);
  seen.add('new 1', 131, 71);
  t.equal(seen.hasForgotten(100), false);
  t.equal(seen.add('new 2', 131, 71), true, 'the one that is too many is taken');
  t.equal(seen.size, 3, 'the oldest second was forgotten');
  t.equal(seen.hasForgotten(100), true);
  t.equal(seen.hasForgotten(101), false);
  t.equal(seen.add('new 0', 130, 70), false, 'the others are still known');
  // What another worker tells may be older.
  for (let index = 0; index < 8; index += 1) seen.add(`told ${index}`, 90, 70);
  t.equal(seen.hasForgotten(100), true, 'what was forgotten stays forgotten');
});

t.test('after a flood an old proof needs a nonce, and a new one does not', async (t) => {
  const key = await clientKey();
  const now = 1_795_456_800_000;
  const proofs = new DpopProofs({
    issuer: 'https://auth.example.com',
    needsNonce: false,
    nonceKey: () => Buffer.alloc(32),
    peers: new Peers(),
    clock: () => now,
    seen: new SeenProofs(1),
  });
  const check = async (claims: object) =>
    proofs.check({
      proof: await proofOf(key, now, { htu: 'https://auth.example.com/v1/me', claims }),
      method: 'GET',
      path: '/v1/me',
    });
  const iat = now / 1_000;
  await check({ iat: iat - 30 });
  await check({ iat: iat - 20 });
  await t.rejects(check({ iat: iat - 30 }), { code: 'use_dpop_nonce' });
  t.match(await check({ iat }), { jkt: key.jkt });
  t.match(await check({ iat: iat - 1_000, nonce: proofs.nonce() }), { usesNonces: true });
});

t.test('a proof that one worker has seen counts at no other worker of the node', async (t) => {
  const told: Told[] = [];
  const there = new Peers();
  const options = {
    issuer: 'https://auth.example.com',
    needsNonce: false,
    nonceKey: () => Buffer.alloc(32),
    clock: () => 1_795_456_800_000,
  };
  const one = new DpopProofs({ ...options, peers: new Peers((news) => told.push(news)) });
  const other = new DpopProofs({ ...options, peers: there });
  const proof = await proofOf(await clientKey(), options.clock(), {
    htu: 'https://auth.example.com/v1/me',
  });
  const request = { proof, method: 'GET', path: '/v1/me' };
  one.check(request);
  for (const news of told) there.receive(news);
  t.throws(() => other.check(request), { code: 'invalid_dpop_proof' });
});
