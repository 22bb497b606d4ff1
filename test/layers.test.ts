import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import t from 'tap';

/** From the outside in: a file imports from its own layer and from those below it, not from one beside it. */
const DEPTHS = {
  main: 0,
  commands: 0,
  app: 1,
  routes: 2,
  http: 3,
  domain: 4,
  mail: 5,
  storage: 5,
  config: 5,
  schemas: 6,
} as const;
type Layer = keyof typeof DEPTHS;
/** What each layer may import besides Node itself. */
const PACKAGES: Partial<Record<Layer, RegExp>> = {
  domain: /^(?!fastify|@fastify|kysely|better-sqlite3|pg$|nodemailer)/,
  config: /^zod$/,
  schemas: /^zod$/,
};
const DATABASE = /^(kysely|better-sqlite3|pg)(\/|$)/;
const MAIL_SERVER = /^nodemailer(\/|$)/;
const DRAWERS = /^(utils?|helpers?|common|shared|libs?|services?|misc|types?)$/i;

interface Import {
  file: string;
  specifier: string;
  typeOnly: boolean;
}

const files = globSync('src/**/*.ts').sort();
const imports: Import[] = files.flatMap((file) =>
  [
    ...readFileSync(file, 'utf8').matchAll(
      /^(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm,
    ),
  ].map(([, typeOnly, specifier = '']) => ({ file, specifier, typeOnly: typeOnly !== undefined })),
);
const inner = imports.filter(({ specifier }) => specifier.startsWith('.'));
const outer = imports.filter(({ specifier }) => !/^(\.|node:)/.test(specifier));

const targetOf = ({ file, specifier }: Import) => join(dirname(file), specifier);
/** `main`, `app`, a folder of `src`, or the name of another file at its top. */
const placeOf = (path: string) => path.replace(/^src\//, '').replace(/(\/.*|\.ts)$/, '');
const isLayer = (place: string): place is Layer => place in DEPTHS;
const line = ({ file, specifier }: Import) => `${file} imports ${specifier}`;

t.test('every import was found, and leads to a file', async (t) => {
  for (const file of files) {
    const written = readFileSync(file, 'utf8').match(/^import\b|^\} from '/gm) ?? [];
    if (written.length > 0)
      t.ok(
        imports.some((found) => found.file === file),
        file,
      );
    t.notMatch(readFileSync(file, 'utf8'), /\b(await import|require)\(/, `${file}: in plain sight`);
  }
  for (const found of inner) t.ok(files.includes(targetOf(found)), line(found));
});

t.test(
  'imports run one way: main, app, routes, http, domain, mail or storage, schemas',
  async (t) => {
    const backwards = inner.filter((found) => {
      const [from, to] = [placeOf(found.file), placeOf(targetOf(found))];
      if (!isLayer(from) || !isLayer(to)) return false;
      // The app's own type is what a route is a function of.
      if (from === 'routes' && to === 'app' && found.typeOnly) return false;
      // A type of the configuration says what comes in by parameter.
      if (to === 'config') return from !== to && !found.typeOnly && DEPTHS[from] > 0;
      return from !== to && DEPTHS[from] >= DEPTHS[to];
    });
    t.same(backwards.map(line), []);
  },
);

t.test('the joined parts are handed in: their file is imported for its type alone', async (t) => {
  const joined = inner.filter(
    (found) =>
      targetOf(found) === 'src/context.ts' &&
      !found.typeOnly &&
      !/^src\/(main\.ts|commands\/)/.test(found.file),
  );
  t.same(joined.map(line), []);
  const fromBelow = inner.filter(
    (found) =>
      ['mail', 'storage', 'config', 'schemas'].includes(placeOf(found.file)) &&
      !isLayer(placeOf(targetOf(found))),
  );
  t.same(fromBelow.map(line), [], 'the lowest layers know nothing of it');
});

t.test('the environment and the configuration come in by parameter', async (t) => {
  const readers = files.filter((file) => /\bprocess\.env\b/.test(readFileSync(file, 'utf8')));
  t.same(
    readers.filter((file) => file !== 'src/main.ts' && !file.startsWith('src/commands/')),
    [],
  );
  const users = inner.filter(
    (found) =>
      targetOf(found) === 'src/config.ts' &&
      !found.typeOnly &&
      !/^src\/(main|context)\.ts$|^src\/commands\//.test(found.file),
  );
  t.same(users.map(line), []);
});

t.test('only storage knows a database', async (t) => {
  const strangers = outer.filter(
    ({ file, specifier }) => DATABASE.test(specifier) && placeOf(file) !== 'storage',
  );
  t.same(strangers.map(line), []);
  t.ok(outer.some(({ specifier }) => DATABASE.test(specifier)));
});

t.test('only mail knows a mail server', async (t) => {
  const strangers = outer.filter(
    ({ file, specifier }) => MAIL_SERVER.test(specifier) && placeOf(file) !== 'mail',
  );
  t.same(strangers.map(line), []);
  t.ok(outer.some(({ specifier }) => MAIL_SERVER.test(specifier)));
});

t.test('the domain knows no web server, and the vocabulary nothing but zod', async (t) => {
  for (const [layer, allowed] of Object.entries(PACKAGES)) {
    const strangers = outer.filter(
      ({ file, specifier }) => placeOf(file) === layer && !allowed.test(specifier),
    );
    t.same(strangers.map(line), [], layer);
  }
  const vocabulary = imports.filter(({ file }) => placeOf(file) === 'schemas');
  t.same(
    vocabulary
      .filter(({ specifier }) => specifier !== 'zod' && !specifier.startsWith('.'))
      .map(line),
    [],
  );
});

t.test('there are no drawers: a thing that has no home has no name yet', async (t) => {
  const names = [...files, ...globSync('test/**/*.ts')].flatMap((path) => path.split('/'));
  const drawers = names.filter((name) =>
    DRAWERS.test(basename(name, '.ts').replace(/\.test$/, '')),
  );
  t.same([...new Set(drawers)], []);
});

t.test(
  'a test file arranges for its own tests alone: others run in the same process',
  async (t) => {
    const hooked = globSync('test/**/*.test.ts').filter((file) =>
      /^t\.(before|after)Each\(/m.test(readFileSync(file, 'utf8')),
    );
    t.same(hooked, []);
  },
);

t.test('every test file is in one suite', async (t) => {
  const named = globSync('test/suites/*.ts').flatMap((file) => {
    const [, patterns = ''] = /^await suite\((.*)\);$/m.exec(readFileSync(file, 'utf8')) ?? [];
    return [...patterns.matchAll(/'([^']+)'/g)].map(([, pattern]) => `test/${pattern}.test.ts`);
  });
  const run = named.flatMap((pattern) => globSync(pattern));
  const all = globSync('test/**/*.test.ts').filter((file) => !file.startsWith('test/suites/'));
  t.same(run.sort(), all.sort());
});
