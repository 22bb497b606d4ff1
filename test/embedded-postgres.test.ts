import { execFile } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { nodeCommand } from './child.ts';

const run = promisify(execFile);

t.test('a process beside PostgreSQL ends with the code that it has set', async (t) => {
  const databases = pathToFileURL('test/databases.ts').href;
  const ending = (script: string) => {
    const text = `await import('${databases}');\n${script}`;
    return run(...nodeCommand(['--input-type=module', '-e', text]));
  };
  await t.rejects(ending('process.exitCode = 1;'), { code: 1 });
  const failing = "(await import('tap')).default.test('a', async (t) => t.fail('b'));";
  await t.rejects(ending(failing), { code: 1 });
  await t.resolves(ending(''));
});
