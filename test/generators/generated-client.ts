import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import { nodeCommand } from '../child.ts';
import { folder } from '../databases.ts';
import { serve } from '../server.ts';
import { followed } from './recipe.ts';
import type { TypedClient } from './typed-client.ts';

const run = promisify(execFile);

/** The settings that find most, for the generated files and what uses them. */
const tsconfig = {
  compilerOptions: {
    target: 'es2022',
    lib: ['es2022', 'dom', 'dom.iterable'],
    module: 'nodenext',
    types: [],
    rootDir: '.',
    outDir: 'dist',
    rewriteRelativeImportExtensions: true,
    isolatedModules: true,
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noImplicitOverride: true,
    noImplicitReturns: true,
    noFallthroughCasesInSwitch: true,
  },
  include: ['*.ts'],
};

export const ADMIN = { email: 'root@example.com', password: 'correct horse battery staple' };

/** The real service, with an administrator. Answers its address. */
export async function serviceWithAdmin(t: Test): Promise<string> {
  const cwd = folder(t);
  const { url } = await serve(t, { cwd });
  const create = [resolve('src/commands/latchkey.ts'), 'users', 'create', ADMIN.email, '--admin'];
  const command = execFile(...nodeCommand(create), { cwd });
  command.stdin?.end(`${ADMIN.password}\n`);
  const [code] = await once(command, 'close');
  t.equal(code, 0, 'there is an administrator');
  return url;
}

interface Generator {
  /** Of its recipe in CLIENTS. */
  heading: string;
  adapter: string;
  /** Where its packages are. */
  packages: string;
  /** What is wrong with its own files, which the document does not shape. */
  knownFaults?: RegExp;
}

/** Follows the recipe in an empty project, compiles the result with an adapter, and loads both. */
export async function generatedClient(
  t: Test,
  { heading, adapter, packages, knownFaults }: Generator,
  url: string,
): Promise<{ typedClient: (url: string) => TypedClient; project: string }> {
  const project = await followed(t, { heading, packages, url });
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(tsconfig));
  for (const [from, to] of [
    [`adapters/${adapter}.ts`, 'adapter.ts'],
    ['typed-client.ts', 'typed-client.ts'],
  ] as const)
    copyFileSync(join(import.meta.dirname, from), join(project, to));
  const tsc = nodeCommand([resolve('node_modules/.bin/tsc')]);
  const { stdout, code } = await run(...tsc, { cwd: project }).then(
    (done) => ({ ...done, code: 0 }),
    (error) => error as { stdout: string; code: number },
  );
  const faults = stdout.split('\n').filter((line) => /(^|: )error TS/.test(line));
  t.equal(code === 0, faults.length === 0, stdout);
  t.same(
    faults.filter((line) => !knownFaults?.test(line)),
    [],
    `${heading} compiles under strict settings`,
  );
  return { ...(await import(pathToFileURL(join(project, 'dist/adapter.js')).href)), project };
}
