import { createCipheriv } from 'node:crypto';
import t from 'tap';
import { derive } from '../../../src/parts/keys/derived-keys.ts';
import { readKeySet } from '../../../src/parts/keys/key-set.ts';
import { newMasterSecret, newSigningKey } from '../../../src/parts/keys/new-keys.ts';
import { seal, unseal } from '../../../src/parts/second-factor/secret-box.ts';
import { UnreadableRow } from '../../../src/parts/storage/users.ts';
import { NOW } from '../../rules/samples.ts';
import { keySet } from '../../test-app.ts';
import { ringOf } from '../rings.ts';

const SECRET = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
const signing = newSigningKey('ES256', 0);
const master = newMasterSecret(0);
const keys = await ringOf([signing, master]);

t.test('a secret is decrypted for its own user', async (t) => {
  const sealed = seal(keys, { secret: SECRET, userId: 'ada', now: NOW });
  t.equal(unseal(keys, sealed, 'ada'), SECRET);
  t.notOk(sealed.includes(SECRET));
  t.notOk(Buffer.from(sealed, 'base64url').includes(SECRET), 'it is not just encoded');
});

t.test('the same secret is encrypted differently each time', async (t) => {
  const texts = Array.from({ length: 100 }, () =>
    seal(keys, { secret: SECRET, userId: 'ada', now: NOW }),
  );
  t.equal(new Set(texts.map((text) => text.split('.')[1])).size, 100, 'every nonce is new');
  t.equal(new Set(texts.map((text) => text.split('.')[2])).size, 100);
});

t.test('it cannot be decrypted in the row of another user', async (t) => {
  const sealed = seal(keys, { secret: SECRET, userId: 'ada', now: NOW });
  for (const other of ['eve', '', 'ada ', 'Ada'])
    t.throws(() => unseal(keys, sealed, other), {
      constructor: UnreadableRow,
      id: other,
      message: `row ${other}: the TOTP secret is damaged or of another row`,
    });
});

t.test('altered or shortened, it cannot be decrypted', async (t) => {
  const [kid = '', nonce = '', text = ''] = seal(keys, {
    secret: SECRET,
    userId: 'ada',
    now: NOW,
  }).split('.');
  const bytes = Buffer.from(text, 'base64url');
  for (let index = 0; index < bytes.length; index += 1) {
    const flipped = Buffer.from(bytes);
    flipped.writeUInt8(flipped.readUInt8(index) ^ 1, index);
    t.throws(() => unseal(keys, [kid, nonce, flipped.toString('base64url')].join('.'), 'ada'));
  }
  for (let length = 0; length < bytes.length; length += 1) {
    const short = bytes.subarray(0, length).toString('base64url');
    t.throws(() => unseal(keys, [kid, nonce, short].join('.'), 'ada'), `${length} bytes`);
  }
  const other = Buffer.from(nonce, 'base64url');
  other.writeUInt8(other.readUInt8(0) ^ 1, 0);
  t.throws(() => unseal(keys, [kid, other.toString('base64url'), text].join('.'), 'ada'));
  for (const broken of ['', '.', '..', kid, `${kid}.${nonce}`, `${kid}..${text}`]) {
    t.throws(() => unseal(keys, broken, 'ada'), broken);
  }
});

t.test('with a shorter tag, which is easier to guess, it cannot be decrypted', async (t) => {
  const [kid = '', nonce = ''] = seal(keys, { secret: SECRET, userId: 'ada', now: NOW }).split('.');
  const key = derive(keys.masterInUse(NOW).secret, 'totp');
  const opens = (authTagLength: number) => {
    const cipher = createCipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64url'), {
      authTagLength,
    }).setAAD(Buffer.from('ada'));
    cipher.final();
    return unseal(keys, `${kid}.${nonce}.${cipher.getAuthTag().toString('base64url')}`, 'ada');
  };
  t.equal(opens(16), '', 'the full tag is accepted');
  for (const length of [4, 8, 12, 15]) t.throws(() => opens(length), `${length} bytes`);
});

t.test(
  'after a new master secret old texts can be decrypted, and new ones use the new one',
  async (t) => {
    const sealed = seal(keys, { secret: SECRET, userId: 'ada', now: NOW });
    const next = newMasterSecret(NOW / 1_000);
    const rotated = await ringOf([signing, { ...master, exp: NOW / 1_000 + 60 }, next]);
    t.equal(unseal(rotated, sealed, 'ada'), SECRET);
    const fresh = seal(rotated, { secret: SECRET, userId: 'ada', now: NOW });
    t.not(fresh.split('.')[0], sealed.split('.')[0]);

    await rotated.replace(readKeySet(keySet(signing, next)), NOW);
    t.equal(unseal(rotated, fresh, 'ada'), SECRET);
    const kid = sealed.split('.')[0];
    t.throws(() => unseal(rotated, sealed, 'ada'), {
      constructor: UnreadableRow,
      id: 'ada',
      message: `row ada: the master secret ${kid} of the TOTP secret is gone`,
    });
  },
);

t.test('the encryption key is not a key of tokens', async (t) => {
  const { secret } = keys.masterInUse(NOW);
  const box = derive(secret, 'totp');
  for (const kind of ['refresh', 'device', 'sign-up', 'email', 'reset', 'mfa'] as const)
    t.notOk(derive(secret, kind).equals(box), kind);
  t.notOk(secret.equals(box));
});
