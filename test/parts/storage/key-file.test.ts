import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { newMasterSecret } from '../../../src/parts/keys/new-keys.ts';
import { readKeyFile } from '../../../src/parts/storage/key-file.ts';
import { folder } from '../../databases.ts';

const modeOf = (path: string) => statSync(path).mode & 0o777;

t.test('a missing key file is created with its folder, for its owner only', async (t) => {
  const path = join(folder(t), 'a', 'b', 'keys.json');
  const keys = [newMasterSecret(0)];
  t.same(JSON.parse(readKeyFile(path, () => keys)), { keys });
  t.equal(modeOf(path), 0o600);
  t.same(readdirSync(join(path, '..')), ['keys.json'], 'no other file is left');
});

t.test('an existing key file is read unchanged, and no key is made', async (t) => {
  const path = join(folder(t), 'keys.json');
  writeFileSync(path, 'any content');
  const text = readKeyFile(path, () => {
    throw new Error('made keys');
  });
  t.equal(text, 'any content');
});

t.test('nodes that create the key file at the same moment read the same keys', async (t) => {
  const path = join(folder(t), 'keys.json');
  const text = readKeyFile(path, () => {
    writeFileSync(path, 'of the faster node');
    return [newMasterSecret(0)];
  });
  t.equal(text, 'of the faster node');
  t.same(readdirSync(join(path, '..')), ['keys.json']);
});

t.test('a folder is refused as a key file', async (t) => {
  const path = folder(t);
  t.throws(() => readKeyFile(path, () => []), { code: 'EISDIR' });
});
