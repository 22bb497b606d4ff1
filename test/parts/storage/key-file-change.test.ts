import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import t, { type Test } from 'tap';
import { newMasterSecret } from '../../../src/parts/keys/new-keys.ts';
import { changeKeyFile, KeyFileFault } from '../../../src/parts/storage/key-file-change.ts';
import { nodeCommand } from '../../child.ts';
import { folder } from '../../databases.ts';
import { keySet } from '../../test-app.ts';

const MODULE = resolve('src/parts/storage/key-file-change.ts');
const keys = [newMasterSecret(0)];
const modeOf = (path: string) => statSync(path).mode & 0o777;

function keyFile(t: Test): string {
  const path = join(folder(t), 'keys.json');
  writeFileSync(path, keySet(newMasterSecret(0)), { mode: 0o600 });
  return path;
}

t.test(
  'a new set replaces the old one, and nobody but its owner and its group can read it',
  (t) => {
    const path = keyFile(t);
    for (const [before, after] of [
      [0o600, 0o600],
      [0o644, 0o640],
      [0o777, 0o640],
      [0o400, 0o600],
    ] as const) {
      chmodSync(path, before);
      changeKeyFile(path, () => keys);
      t.equal(modeOf(path), after, before.toString(8));
    }
    t.same(JSON.parse(readFileSync(path, 'utf8')), { keys });
    t.same(readdirSync(join(path, '..')), ['keys.json', 'keys.json.lock']);
    t.equal(modeOf(`${path}.lock`), 0o600);
    t.end();
  },
);

t.test('a copy that the operator made stays, a draft does not', (t) => {
  const path = keyFile(t);
  const copy = 'keys.json.before-the-rotation-of-november-2026';
  t.equal(copy.length, `keys.json.${randomUUID()}`.length);
  for (const name of [copy, `keys.json.${randomUUID()}`])
    writeFileSync(join(path, '..', name), '{}');
  changeKeyFile(path, () => keys);
  t.same(readdirSync(join(path, '..')).sort(), ['keys.json', copy, 'keys.json.lock']);
  t.end();
});

t.test(
  'the file keeps its owner, if the administrator changes it',
  { skip: process.getuid?.() !== 0 && 'not root' },
  (t) => {
    const path = keyFile(t);
    chownSync(path, 1_234, 1_235);
    changeKeyFile(path, () => keys);
    for (const file of [path, `${path}.lock`]) t.match(statSync(file), { uid: 1_234, gid: 1_235 });
    t.end();
  },
);

t.test('a symbolic link stays, and the file that it leads to is replaced', (t) => {
  const path = keyFile(t);
  const link = join(path, '..', 'link.json');
  symlinkSync('keys.json', link);
  changeKeyFile(link, () => keys);
  t.equal(readlinkSync(link), 'keys.json');
  t.same(JSON.parse(readFileSync(path, 'utf8')), { keys });
  t.end();
});

t.test('a file that Kubernetes mounts from a Secret is refused, with what to do', (t) => {
  const root = folder(t);
  mkdirSync(join(root, '..2026_11_26'));
  writeFileSync(join(root, '..2026_11_26', 'keys.json'), 'old');
  symlinkSync('..2026_11_26', join(root, '..data'));
  symlinkSync('..data/keys.json', join(root, 'keys.json'));
  const path = join(root, 'keys.json');
  t.throws(() => changeKeyFile(path, () => keys), {
    constructor: KeyFileFault,
    message: `${path} cannot be written: Kubernetes mounts it from a Secret. Run the command on a copy, and update the Secret from that`,
  });
  t.equal(readFileSync(path, 'utf8'), 'old');
  t.same(readdirSync(join(root, '..data')), ['keys.json']);
  t.end();
});

t.test('a file that cannot be written is as it was, and no draft is left', (t) => {
  const path = keyFile(t);
  const before = readFileSync(path, 'utf8');
  const fail = (code: string, syscall: string) => () => {
    throw Object.assign(new Error(), { code, syscall });
  };
  const says = (message: RegExp) => ({ constructor: KeyFileFault, message });
  t.throws(
    () => changeKeyFile(path, fail('EROFS', 'open')),
    says(/is read-only\. Change the orig/),
  );
  t.throws(() => changeKeyFile(path, fail('EBUSY', 'rename')), says(/mounted as a single file/));
  t.throws(() => changeKeyFile(path, fail('ENOSPC', 'write')), says(/the system says ENOSPC$/));
  t.throws(
    () => changeKeyFile(path, fail('SQLITE_BUSY', 'lock')),
    says(/another command is changing it\. Run the command again$/),
  );
  const bug = new TypeError('a bug');
  t.throws(
    () =>
      changeKeyFile(path, () => {
        throw bug;
      }),
    bug,
  );
  t.equal(readFileSync(path, 'utf8'), before);
  t.same(readdirSync(join(path, '..')), ['keys.json', 'keys.json.lock']);
  // Renaming fails: somebody has put a folder there.
  t.throws(
    () =>
      changeKeyFile(path, () => {
        rmSync(path);
        mkdirSync(join(path, 'in the way'), { recursive: true });
        return keys;
      }),
    says(/the system says E/),
  );
  t.same(readdirSync(join(path, '..')), ['keys.json', 'keys.json.lock']);
  t.end();
});

t.test('something else in the place of the lock is named', (t) => {
  const path = keyFile(t);
  writeFileSync(`${path}.lock`, 'no database'.repeat(50));
  t.throws(() => changeKeyFile(path, () => keys), {
    constructor: KeyFileFault,
    message: /the system says SQLITE_NOTADB$/,
  });
  t.end();
});

/** Runs code in a process of its own. `run`: `changeKeyFile`, imported. */
function inProcess(t: Test, code: string) {
  const [command, args] = nodeCommand([
    '--input-type=module-typescript',
    '--eval',
    `import { changeKeyFile } from '${MODULE}';\n${code}`,
  ]);
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const ended = new Promise<number | null>((done) => child.once('close', done));
  return { child, ended, said: new Promise((done) => child.stdout.once('data', done)) };
}

t.test('processes that change it at once lose nothing', async (t) => {
  const path = keyFile(t);
  const add = `
    for (let round = 0; round < 20; round += 1)
      changeKeyFile('${path}', (text) => [...JSON.parse(text).keys, { kty: 'oct', by: process.pid, round }]);`;
  const all = [1, 2, 3].map(() => inProcess(t, add).ended);
  t.same(await Promise.all(all), [0, 0, 0]);
  t.equal(JSON.parse(readFileSync(path, 'utf8')).keys.length, 1 + 3 * 20);
  t.same(readdirSync(join(path, '..')), ['keys.json', 'keys.json.lock']);
});

t.test(
  'a process that is killed in the middle leaves the old file whole, and no lock',
  async (t) => {
    const path = keyFile(t);
    const before = readFileSync(path, 'utf8');
    const hang = `
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    fs.renameSync = () => {
      fs.writeSync(1, 'written');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    };
    syncBuiltinESMExports();
    changeKeyFile('${path}', () => [{ kty: 'oct' }]);`;
    const { child, ended, said } = inProcess(t, hang);
    await said;
    t.equal(readdirSync(join(path, '..')).length, 3, 'with its draft');
    child.kill('SIGKILL');
    await ended;
    t.equal(readFileSync(path, 'utf8'), before);
    changeKeyFile(path, (text) => {
      t.equal(text, before);
      return keys;
    });
    t.same(readdirSync(join(path, '..')), ['keys.json', 'keys.json.lock'], 'its draft is removed');
  },
);
