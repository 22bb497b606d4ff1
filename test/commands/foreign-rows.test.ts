import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { readerOf } from '../../src/commands/foreign-rows.ts';
import { folder } from '../databases.ts';
import { nextDescriptor } from '../descriptors.ts';
import { testApp } from '../test-app.ts';
import { commandLine } from './command-line.ts';

t.test('a file that is there and cannot be opened is a fault of the command alone', async (t) => {
  const { context } = await testApp(t);
  // Root may read every file, but nobody can open a socket (ENXIO).
  const path = join(folder(t), 'socket');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.teardown(() => server.close());
  for (const words of [
    ['--from', 'auth0', path],
    ['--from', 'better-auth', '--accounts', path, 'test/commands/formats/better-auth.json'],
    [path],
  ])
    await t.rejects(commandLine(context)(['import', ...words]), { code: 'ENXIO', syscall: 'open' });
});

t.test('a file that cannot be read is closed', async (t) => {
  const before = nextDescriptor();
  t.throws(() => readerOf(folder(t), {}), { code: 'EISDIR', syscall: 'read' });
  t.equal(nextDescriptor(), before);
});
