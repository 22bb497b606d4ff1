import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { KeySetError } from '../../../src/parts/keys/key-set.ts';
import { KeySetSource } from '../../../src/parts/keys/key-set-source.ts';
import { folder } from '../../databases.ts';
import { keysFor, testApp } from '../../test-app.ts';

const made = () => JSON.parse(keysFor('ES256')).keys;

/** A key file with this text and mode, and the warnings of its source. */
function opened(t: Test, { text, mode }: { text: string; mode: number }) {
  const path = join(folder(t), 'keys.json');
  writeFileSync(path, text);
  chmodSync(path, mode);
  const warnings: string[] = [];
  const source = new KeySetSource(path, (message) => warnings.push(message));
  return { path, source, warnings };
}

t.test('a PEM file is refused as PEM, and the message says what is expected', async (t) => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  for (const text of [pem, `\n${pem}`, `Bag Attributes\n${pem}`]) {
    const { source } = opened(t, { text, mode: 0o600 });
    t.throws(() => source.open(made), {
      constructor: KeySetError,
      message: 'it is PEM, but must be a private JWK set (JSON): convert it to JWK',
    });
  }
});

t.test(
  'a key file that other users can read is used, with a warning that names its mode',
  async (t) => {
    for (const [mode, shown] of [
      [0o644, '0644'],
      [0o604, '0604'],
      [0o666, '0666'],
    ] as const) {
      const { source, path, warnings } = opened(t, { text: keysFor('ES256'), mode });
      t.equal(source.open(made).signing.length, 1);
      t.match(warnings, [new RegExp(`^SIGNING_KEYS: .*mode ${shown}\\)`)]);
      t.equal(warnings.length, 1);
      t.notMatch(warnings[0], path, 'its name is not shown');
    }
    const { path } = opened(t, { text: keysFor('ES256'), mode: 0o644 });
    const { logs } = await testApp(t, { env: { SIGNING_KEYS: path } });
    t.match(
      logs.filter(({ level }) => level === 40),
      [{ msg: /^SIGNING_KEYS: other users .*mode 0644/ }],
    );
  },
);

t.test('a key file of its owner, or of a group, needs no warning', async (t) => {
  for (const mode of [0o600, 0o400, 0o440, 0o640]) {
    const { source, warnings } = opened(t, { text: keysFor('ES256'), mode });
    source.open(made);
    t.same(warnings, [], mode.toString(8));
  }
  const warnings: string[] = [];
  const warn = (message: string) => warnings.push(message);
  new KeySetSource(join(folder(t), 'new', 'keys.json'), warn).open(made);
  new KeySetSource(keysFor('ES256'), warn).open(made);
  t.same(warnings, [], 'a new file and an inline key set need none either');
});
