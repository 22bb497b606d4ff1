import t from 'tap';
import { Nonces } from '../../../src/parts/dpop/nonces.ts';

const nonces = new Nonces(() => Buffer.alloc(32, 1));

t.test('a nonce says when it was issued, on every node with the same master secret', async (t) => {
  const nonce = nonces.issue(1_795_456_800);
  t.match(nonce, /^[\w-]{30}$/);
  t.equal(new Nonces(() => Buffer.alloc(32, 1)).read(nonce), 1_795_456_800);
  t.equal(new Nonces(() => Buffer.alloc(32, 2)).read(nonce), undefined, 'of another service');
});

t.test('nobody else can make or change one', async (t) => {
  const nonce = nonces.issue(1_795_456_800);
  for (const changed of [
    '',
    'x',
    nonce.slice(1),
    `${nonce}A`,
    nonce.replace(/.$/, '='),
    `B${nonce.slice(1)}`,
    `${nonce.slice(0, -1)}${nonce.endsWith('Q') ? 'A' : 'Q'}`,
    'A'.repeat(30),
    '.'.repeat(30),
  ])
    t.equal(nonces.read(changed), undefined, changed);
});
