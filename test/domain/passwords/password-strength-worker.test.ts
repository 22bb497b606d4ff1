import t from 'tap';
import { isStrong, reply } from '../../../src/domain/passwords/password-strength-worker.ts';

t.test(
  'what is common, repeated or made of known words is weak, whatever its length',
  async (t) => {
    for (const weak of ['passwordpassword', 'aaaaaaaaaaaaaaaaaaaa', 'adaadaadaadaada', '']) {
      t.equal(isStrong(weak, ['ada']), false, weak);
    }
  },
);

t.test('one strong piece is enough', async (t) => {
  t.equal(isStrong('correct horse battery staple', ['ada']), true);
  t.equal(isStrong(`${'password'.repeat(3)}zq7 mfk wpl 3dh vx9`, []), true);
});

t.test('without a thread that asks there is nobody to answer', async (t) => {
  t.doesNotThrow(() => reply({ id: 1, password: 'passwordpassword', context: [] }));
});
