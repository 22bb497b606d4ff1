import { globSync, readFileSync } from 'node:fs';
import t from 'tap';

const files = globSync('src/routes/*/**/*.ts').sort();
const contents = readFileSync('src/routes/index.ts', 'utf8');

t.test('every route file stands in the table of contents, once', async (t) => {
  t.ok(files.length > 10);
  const imports = [...contents.matchAll(/^import \{ (\w+) \} from '\.\/([^']+)';$/gm)];
  t.same(imports.map(([, , path]) => `src/routes/${path}`).sort(), files);
  const listed = /const endpoints = \[([^\]]*)\]/.exec(contents)?.[1]?.match(/\w+/g) ?? [];
  t.same(imports.map(([, name]) => name).sort(), [...listed].sort());
});

t.test('every route file registers exactly one route, and has its test', async (t) => {
  const tests = globSync('test/routes/*/**/*.test.ts').sort();
  t.same(
    tests,
    files.map((path) => path.replace(/^src/, 'test').replace(/\.ts$/, '.test.ts')),
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
