import { execFile } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import { nodeCommand } from '../child.ts';
import { folder } from '../databases.ts';
import { serve } from '../server.ts';
import type { TypedClient } from './typed-client.ts';

const run = promisify(execFile);

/** The address that the recipes have. */
const SHOWN = 'https://id.example.com';

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
  const create = [resolve('src/commands/users.ts'), 'create', ADMIN.email, '--admin'];
  const command = execFile(...nodeCommand(create), { cwd });
  command.stdin?.end(`${ADMIN.password}\n`);
  const [code] = await once(command, 'close');
  t.equal(code, 0, 'there is an administrator');
  return url;
}

/** The blocks of a recipe in CLIENTS, with this address in place of the one that they show. */
function recipe(heading: string, url: string) {
  const page = readFileSync('.github/CLIENTS.md', 'utf8');
  const [, section = ''] = page.split(`### ${heading}\n`);
  const [text = ''] = section.split(/^##/m);
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, block = '']) => ({
    language: language as string,
    text: block.replaceAll(SHOWN, url),
  }));
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
  const project = folder(t);
  mkdirSync(join(project, 'node_modules'));
  for (const name of readdirSync(packages))
    symlinkSync(resolve(packages, name), join(project, 'node_modules', name));
  symlinkSync(resolve('.'), join(project, 'node_modules', 'latchkey'));
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }');
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(tsconfig));

  const commands: string[] = [];
  for (const { language, text } of recipe(heading, url)) {
    const [, file] = /^\/\/ (\S+)\n/.exec(text) ?? [];
    if (language === 'sh') commands.push(text);
    else writeFileSync(join(project, `${file}`), text);
  }
  t.equal(commands.length, 1, heading);
  const env = {
    ...process.env,
    PATH: `${dirname(process.execPath)}:${process.env['PATH']}`,
    npm_config_update_notifier: 'false',
  };
  await run('sh', ['-ec', `unset NODE_OPTIONS; ${commands[0]}`], { cwd: project, env });

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
