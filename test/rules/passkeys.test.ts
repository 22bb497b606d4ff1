import t from 'tap';
import { passkeyId, withPasskeyNamed, withPasskeyUsed } from '../../src/rules/passkeys.ts';
import type { Passkey, User } from '../../src/schemas/user.ts';
import { ada, NOW } from './samples.ts';

const passkey = (id: string): Passkey => ({
  id,
  public_key: `key of ${id}`,
  counter: 3,
  transports: [],
  name: id,
  backed_up: false,
  created_at: NOW,
  used: [],
});
const owner: User = { ...ada(), passkeys: [passkey('phone'), passkey('laptop')] };
const use = {
  id: 'laptop',
  publicKey: 'key of laptop',
  counter: 4,
  backedUp: true,
  challenge: { id: 'c', until: NOW + 1 },
};

t.test('only the passkey that was used changes', async (t) => {
  const next = withPasskeyUsed(owner, use, NOW) as User;
  t.equal(next.passkeys[0], owner.passkeys[0]);
  t.match(next.passkeys[1], { counter: 4, backed_up: true, last_used_at: NOW });
  const { passkeys } = withPasskeyNamed(owner, { id: passkeyId({ id: 'phone' }), name: 'x' }).user;
  t.same(
    passkeys.map(({ name }) => name),
    ['x', 'laptop'],
  );
});

t.test('a passkey that was removed or replaced in the meantime is refused', async (t) => {
  t.equal(withPasskeyUsed({ ...owner, passkeys: [] }, use, NOW), 'refused');
  t.equal(withPasskeyUsed(owner, { ...use, publicKey: 'another' }, NOW), 'refused');
});

t.test(
  'a counter may stay 0, must rise otherwise, and is looked at after the challenge',
  async (t) => {
    const counted = (last: number, counter: number) => {
      const one = { ...passkey('laptop'), counter: last };
      const result = withPasskeyUsed({ ...owner, passkeys: [one] }, { ...use, counter }, NOW);
      return typeof result === 'object' ? 'used' : result;
    };
    t.same(
      [counted(0, 0), counted(0, 1), counted(3, 4), counted(3, 3), counted(3, 0)],
      ['used', 'used', 'used', 'copied', 'copied'],
    );
    const next = withPasskeyUsed(owner, use, NOW) as User;
    t.equal(withPasskeyUsed(next, use, NOW), 'refused');
    t.equal(withPasskeyUsed(next, use, NOW + 1), 'copied', 'when the challenge has expired');
  },
);
