import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

interface Recipe {
  verify(token: string): Promise<{ sub?: string }>;
  listen(): Promise<void>;
}

let copies = 0;

/** The recipe with jose and the list of revoked tokens, from .github/VERIFYING.md, following this issuer. */
export async function joseRecipe(issuer: string) {
  const page = readFileSync('.github/VERIFYING.md', 'utf8');
  const [text = ''] = /^\/\/ revoked\.mjs\n[\s\S]*?(?=^```$)/m.exec(page) ?? [];
  // Where it finds the packages of this repository.
  const folder = resolve('node_modules/.cache/latchkey-recipes');
  mkdirSync(folder, { recursive: true });
  copies += 1;
  const file = `${folder}/revoked-${process.pid}-${copies}.mjs`;
  writeFileSync(file, text);
  process.env['ISSUER'] = issuer;
  process.env['AUDIENCE'] = issuer;
  const { verify, listen }: Recipe = await import(pathToFileURL(file).href);
  let isClosed = false;
  await listen();
  const follow = async () => {
    while (!isClosed) await listen().catch(() => sleep(100));
  };
  const following = follow();
  return {
    verify,
    listen,
    close: () => {
      isClosed = true;
      return following;
    },
  };
}
