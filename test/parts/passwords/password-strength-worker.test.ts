import t from 'tap';
import { isStrong, reply } from '../../../src/parts/passwords/password-strength-worker.ts';

t.test('common, repeated and known words are weak at any length', async (t) => {
  for (const weak of ['passwordpassword', 'aaaaaaaaaaaaaaaaaaaa', 'adaadaadaadaada', '']) {
    t.equal(isStrong(weak, ['ada']), false, weak);
  }
});

t.test('one strong piece is enough', async (t) => {
  t.equal(isStrong('correct horse battery staple', ['ada']), true);
  t.equal(isStrong(`${'password'.repeat(3)}zq7 mfk wpl 3dh vx9`, []), true);
});

t.test('only the first 72 characters are scored', async (t) => {
  const weak = 'password'.repeat(9);
  t.equal(isStrong(`${weak.slice(0, 48)}zq7 mfk wpl 3dh vx9`, []), true);
  t.equal(isStrong(`${weak}zq7 mfk wpl 3dh vx9`, []), false);
});

t.test('a password full of letter substitutions costs no more than a plain one', async (t) => {
  const shifted = Array.from({ length: 128 }, (_, at) => '$1'[(at + Math.floor(at / 24)) % 2]);
  const plain = Array.from({ length: 128 }, (_, at) => 'password'[(at + Math.floor(at / 24)) % 8]);
  const work = (password: string) =>
    Math.min(
      ...[1, 2, 3].map(() => {
        const { user } = process.cpuUsage();
        isStrong(password, ['ada']);
        return process.cpuUsage().user - user;
      }),
    );
  const [most, least] = [shifted, plain].map((points) => work(points.join(''))) as [number, number];
  // It was a hundred times.
  t.ok(most < 15 * least, `${most} to ${least}`);
});

t.test('without a parent thread there is no answer', async (t) => {
  t.doesNotThrow(() => reply({ password: 'passwordpassword', userInputs: [] }));
});
