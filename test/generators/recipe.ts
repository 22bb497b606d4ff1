import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import { folder } from '../databases.ts';

const run = promisify(execFile);

/** The address that the recipes have. */
const SHOWN = 'https://id.example.com';

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

/** Follows a recipe in an empty project that has these packages, and answers the folder of the project. */
export async function followed(
  t: Test,
  { heading, packages, url }: { heading: string; packages: string; url: string },
): Promise<string> {
  const project = folder(t);
  mkdirSync(join(project, 'node_modules'));
  for (const name of readdirSync(packages))
    symlinkSync(resolve(packages, name), join(project, 'node_modules', name));
  symlinkSync(resolve('.'), join(project, 'node_modules', 'latchkey'));
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }');

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
  return project;
}
