import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import t from 'tap';

const pages = globSync(['*.md', '.github/*.md', 'src/**/*.md', 'test/**/*.md']).sort();
/** Those about the code. The others name what is not here, as the variables of a client. */
const maps = pages.filter((page) => /^(src|test)\/|CONTRIBUTING/.test(page));
const decisions = pages.filter((page) => page.startsWith('src/decisions/'));

const tree = globSync(['*', '.*', '{.ci,.github,src,test}/**']);
const scripts = Object.keys(JSON.parse(readFileSync('package.json', 'utf8')).scripts);
const words = new Set(
  globSync(['src/**/*.ts', 'test/**/*.ts', 'package.json', 'openapi.yaml'])
    .map((file) => readFileSync(file, 'utf8'))
    .flatMap((text) => text.match(/\w+/g) ?? []),
);

const textOf = (page: string) => readFileSync(page, 'utf8');
const withoutBlocks = (text: string) => text.replace(/^```[\s\S]*?^```$/gm, '');
const all = (text: string, pattern: RegExp) =>
  [...text.matchAll(pattern)].map(([, found]) => found as string);

/** As GitHub makes the anchor of a heading. */
const anchorsOf = (text: string) =>
  all(withoutBlocks(text), /^#+ (.*)$/gm).map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

const missing = (names: string[], isThere: (name: string) => boolean) =>
  [...new Set(names)].filter((name) => !isThere(name));

for (const page of pages) {
  t.test(`a reader of ${page} finds what it names`, async (t) => {
    const text = textOf(page);

    const paths = all(text, /(?<![\w./-])((?:src|test|\.github|\.ci)\/[\w./*-]*)/g);
    t.same(
      missing(paths, (path) => globSync(path.replace(/\.$/, '')).length > 0),
      [],
      'files and folders, by their path',
    );
    const names = all(text, /(?<![\w./<>*-])([\w-]+(?:\/[\w.-]+)*\.(?:ts|md|yaml))\b/g);
    t.same(
      missing(names, (name) => tree.some((path) => `/${path}`.endsWith(`/${name}`))),
      [],
      'files, by the end of their path',
    );
    const links = all(text, /\]\((?!https?:)([^)\s]+)\)/g);
    t.same(
      missing(links, (link) => {
        const [path, anchor] = link.split('#') as [string, string?];
        const target = path === '' ? page : join(dirname(page), path);
        return existsSync(target) && (!anchor || anchorsOf(textOf(target)).includes(anchor));
      }),
      [],
      'links',
    );
    t.same(
      missing(all(text, /(?:^|`|&& )npm (?:run )?(?!ci\b|install\b)([a-z][\w:]*)/gm), (name) =>
        scripts.includes(name),
      ),
      [],
      'scripts',
    );
    t.same(
      missing(all(text, /`([A-Z]+_[A-Z_]+)\b/g), (name) => words.has(name)),
      [],
      'settings',
    );
  });
}

for (const page of maps) {
  t.test(`${page} uses the words of the code`, async (t) => {
    const spans = all(withoutBlocks(textOf(page)), /`(?!\w+\.(?:md|yaml)`)([A-Za-z_][\w.]*)`/g);
    t.same(
      missing(spans, (span) => span.split('.').every((word) => words.has(word))),
      [],
    );
  });
}

t.test('a newcomer finds every room, every tool of the tests and every suite', async (t) => {
  const rooms = readdirSync('src').filter((name) => name !== 'README.md' && name !== 'decisions');
  const source = textOf('src/README.md');
  t.same(
    rooms.filter((room) => !source.includes(room.endsWith('.ts') ? `\`${room}\`` : `\`${room}/\``)),
    [],
  );
  const tools = globSync(['test/*.ts', 'test/suites/*.ts']).filter(
    (file) => file.startsWith('test/suites/') || !file.endsWith('.test.ts'),
  );
  t.same(
    tools.filter((file) => !textOf('test/README.md').includes(`\`${file}\``)),
    [],
  );
});

t.test('a decision says why, what and what follows, on one screen', async (t) => {
  t.ok(decisions.length > 0);
  for (const [index, page] of decisions.entries()) {
    const text = textOf(page);
    t.equal(Number.parseInt(basename(page), 10), index + 1, page);
    t.match(text, new RegExp(`^# ${index + 1}\\. `), page);
    t.same(all(text, /^## (.*)$/gm), ['Context', 'Decision', 'Consequences'], page);
    t.ok(text.split('\n').length <= 40, page);
    t.ok(textOf('src/README.md').includes(`(${page.replace('src/', '')})`), `${page} is listed`);
  }
});
