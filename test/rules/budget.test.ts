import t from 'tap';
import { budgetOf, keyOf, readKey } from '../../src/rules/budget.ts';
import { fingerprint } from '../../src/rules/fingerprint.ts';

t.test('a budget has the same key in the row in every version of the service', async (t) => {
  for (const [budget, key] of [
    [{ factor: 'password', kind: 'all' }, 'password all'],
    [budgetOf('password', { prefix: '192.0.2.1' }), `password net ${fingerprint('192.0.2.1')}`],
    [budgetOf('totp', { device: 'phone' }), `totp device ${fingerprint('phone')}`],
    [budgetOf('mail_code', { device: 'phone' }), `mail_code device ${fingerprint('phone')}`],
    [budgetOf('recovery', { session: 'S-1_a' }), 'recovery session S-1_a'],
  ] as const) {
    t.equal(keyOf(budget), key);
    t.match(budget, readKey(key));
  }
});

t.test('a key that a newer version has written can be read', async (t) => {
  t.same(readKey('passkey country se'), { factor: 'passkey', kind: 'country' });
  t.same(readKey('passkey'), { factor: 'passkey', kind: '' });
});
