import { execFile } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { nodeCommand } from '../child.ts';

const run = promisify(execFile);
const postgres = pathToFileURL('test/bench/postgres.ts').href;

t.test('a measurement with PostgreSQL ends with the code that it chose', async (t) => {
  const ended = (code: number) => {
    const script = `import ${JSON.stringify(postgres)}; process.exitCode = ${code};`;
    return run(...nodeCommand(['--input-type=module', '--eval', script])).then(
      () => 0,
      ({ code }) => code,
    );
  };
  t.equal(await ended(1), 1, 'a target was missed');
  t.equal(await ended(0), 0, 'all were reached');
});
