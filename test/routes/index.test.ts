import { globSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import t from 'tap';

const files = globSync('src/routes/*/**/*.ts').sort();
const contents = readFileSync('src/routes/index.ts', 'utf8');

t.test('every route file is listed in index.ts, once', async (t) => {
  t.ok(files.length > 10);
  const imports = [...contents.matchAll(/^import \{ (\w+) \} from '\.\/([^']+)';$/gm)];
  t.same(imports.map(([, , path]) => `src/routes/${path}`).sort(), files);
  const tables = contents.matchAll(/^const \w*[eE]ndpoints = \[([^\]]*)\]/gm);
  const listed = [...tables].flatMap(([, names = '']) => names.match(/\w+/g) ?? []);
  t.same(imports.map(([, name]) => name).sort(), [...listed].sort());
});

t.test('every route file registers its routes in one place, and has its test', async (t) => {
  const tests = globSync('test/routes/*/**/*.test.ts').sort();
  // Pages are tested together, by `pages/pages.test.ts`.
  const isPage = (path: string) => path.includes('/pages/');
  const routes = files.map((path) => path.replace(/^src/, 'test').replace(/\.ts$/, ''));
  // Routes that only work one after another are tested together: `passkeys/passkeys.test.ts`.
  const groupOf = (path: string) => `${dirname(path)}/${basename(dirname(path))}.test.ts`;
  t.same(
    routes.filter(
      (route) =>
        !isPage(route) && !tests.includes(`${route}.test.ts`) && !tests.includes(groupOf(route)),
    ),
    [],
  );
  // A route with many tests has a second file: `register-by-mail`.
  const named = (path: string) =>
    routes.some((route) => path.startsWith(`${route}.`) || path.startsWith(`${route}-`));
  t.same(
    tests.filter((path) => !isPage(path) && !named(path) && path !== groupOf(path)),
    [],
  );
  for (const path of files) {
    const source = readFileSync(path, 'utf8');
    t.equal(
      source.match(/\bapp\.(route|get|post|put|patch|delete|all|options|head)\(/g)?.length,
      1,
      path,
    );
  }
});
