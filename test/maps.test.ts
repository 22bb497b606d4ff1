import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import t from 'tap';

const tree = globSync(['*', '.*', '{.ci,.github,src,test}/**']);
const pages = tree.filter((path) => path.endsWith('.md')).sort();
/** Those about the code. The others name what is not here, as the variables of a client. */
const maps = pages.filter((page) => /^(src|test)\/|CONTRIBUTING/.test(page));
const decisions = pages.filter((page) => page.startsWith('src/decisions/'));

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

/** The anchors that GitHub gives to the headings of a page. The second one of a name ends in `-1`. */
const anchorsOf = (text: string) => {
  const counts = new Map<string, number>();
  return all(withoutBlocks(text), /^#+ (.*)$/gm).map((heading) => {
    const anchor = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
    const count = counts.get(anchor) ?? 0;
    counts.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
};

/** Inline links with or without a title, definitions of links, and those of HTML. */
const LINKS =
  /\]\(<?([^)\s>]+)|^ *\[[^\]]+\]: *<?([^\s>]+)|<(?:a|img)\b[^>]*?\b(?:href|src)="([^"]+)"/gm;

/** The links of a page that lead to another file or heading of this repository, but to none that exists. */
const deadLinks = (page: string, text: string): string[] =>
  [...withoutBlocks(text).matchAll(LINKS)]
    .map(([, inline, defined, html]) => String(inline ?? defined ?? html))
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : join(dirname(page), path);
      if (target !== page && !existsSync(target)) return true;
      if (anchor === undefined) return false;
      return !anchorsOf(target === page ? text : textOf(target)).includes(anchor);
    });

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
    t.same(deadLinks(page, text), [], 'links');
    t.same(
      missing(
        all(text, /(?:^|`|&& )npm (?:run )?(?!ci\b|install\b|pack\b|publish\b)([a-z][\w:]*)/gm),
        (name) => scripts.includes(name),
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

t.test('a link or an anchor that leads nowhere is found, in every form', async (t) => {
  const dead = [
    'GONE.md',
    '../src/gone/',
    '#gone',
    'SECURITY.md#gone',
    '../openapi.yaml#paths',
    '/src/README.md',
  ];
  for (const link of dead)
    for (const text of [`[a](${link})`, `[a](<${link}>)`, `[a](${link} "title")`, `[a]: ${link}`])
      t.same(deadLinks('.github/PLANTED.md', text), [link], text);
  t.same(deadLinks('.github/PLANTED.md', '<img src="gone.png"> <a href="#gone">'), [
    'gone.png',
    '#gone',
  ]);
  const live = `# A \`b\` [c](../LICENSE)\n## Twice\n## Twice\n[1](#a-b-c) [2](#twice-1) [3](../src/README.md#the-rooms)
[4](https://example.com/#x) [5](mailto:a@example.com) [6](../src/)\n\`\`\`\n# Shown\n[7](shown.md)\n\`\`\`\n`;
  t.same(deadLinks('.github/PLANTED.md', live), []);
  t.same(
    deadLinks('.github/PLANTED.md', `${live}[8](#shown)`),
    ['#shown'],
    'a comment is no heading',
  );
});

t.test('each arrow in the picture of the rooms is an import', async (t) => {
  const [, picture = ''] = /^```mermaid\n([\s\S]*?)^```$/m.exec(textOf('src/README.md')) ?? [];
  const arrows = [...picture.matchAll(/^ {2}(\w+)\S* --> (\w+)/gm)];
  t.equal(arrows.length, picture.match(/-->/g)?.length);
  t.ok(arrows.length > 5);
  for (const [arrow, from, to] of arrows) {
    const files = globSync([`src/${from}.ts`, `src/${from}/**/*.ts`]);
    const isImport = new RegExp(`^(?:import|\\}).* from '(?:\\.\\.?/)+${to}(?:\\.ts|/.*)';$`, 'm');
    t.ok(
      files.some((file) => isImport.test(textOf(file))),
      arrow.trim(),
    );
  }
});

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
