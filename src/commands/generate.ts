import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { documents } from './documents.ts';

/** With `--check`, generated files that are out of date are reported, not written. */
const isOutdated = ({ path, text }: { path: string; text: string }) =>
  !existsSync(path) || readFileSync(path, 'utf8') !== text;

const outdated = (await documents()).filter(isOutdated);

if (process.argv.includes('--check')) {
  for (const { path } of outdated) console.error(`${path} is out of date: npm run generate`);
  process.exitCode = Math.min(outdated.length, 1);
} else {
  for (const { path, text } of outdated) writeFileSync(path, text);
}
