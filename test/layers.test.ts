import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import t from 'tap';

/** From the outside in: a file imports, types included, from its own room and from those below it. */
const DEPTHS = {
  commands: -1,
  main: 0,
  processes: 1,
  app: 2,
  routes: 3,
  http: 4,
  actions: 5,
  context: 6,
  'start-faults': 7,
  parts: 7,
  rules: 8,
  config: 9,
  clients: 9,
  schemas: 10,
} as const;
type Room = keyof typeof DEPTHS;

/** What a line in a room may not do. */
const PROMISES: Partial<Record<Room, { never: RegExp; packages: RegExp }>> = {
  // Async, over the Context. Nothing of HTTP.
  actions: { never: /\bFastify\w*/, packages: /^(?!fastify|@fastify|kysely|better-sqlite3|pg$)/ },
  // Built once, hold state or talk to the outside. They do not know one another through the Context.
  parts: { never: /\bContext\b/, packages: /^/ },
  // Pure: time, randomness and configuration come in by parameter.
  rules: {
    never:
      /\b(await|async|Promise|Date\.now|new Date\(\)|performance|Math\.random|random\w+\(|setTimeout|setInterval|process)\b/,
    // For the types of the vocabulary alone.
    packages: /^zod$/,
  },
  // Loaded by browsers and apps, so nothing of Node and no package.
  clients: { never: /\b(process|Buffer|require|import\.meta)\b/, packages: /^$/ },
  config: { never: /\bprocess\.env\b/, packages: /^zod$/ },
  schemas: { never: /\bprocess\.env\b/, packages: /^zod$/ },
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
      /^(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm,
    ),
  ].map(([, typeOnly, specifier, loaded = '']) => ({
    file,
    specifier: specifier ?? loaded,
    typeOnly: typeOnly !== undefined,
  })),
);
const inner = imports.filter(({ specifier }) => specifier.startsWith('.'));
const outer = imports.filter(({ specifier }) => !/^(\.|node:)/.test(specifier));

const targetOf = ({ file, specifier }: Import) => join(dirname(file), specifier);
/** `main`, `app`, a folder of `src`, or the name of another file at its top. */
const placeOf = (path: string) => path.replace(/^src\//, '').replace(/(\/.*|\.ts)$/, '');
const isRoom = (place: string): place is Room => place in DEPTHS;
/** Without comments and texts. */
const codeOf = (file: string) =>
  readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*|'(?:[^'\\\n]|\\.)*'/g, '');
const line = ({ file, specifier }: Import) => `${file} imports ${specifier}`;

t.test('every import was found, and leads to a file', async (t) => {
  for (const file of files) {
    const written = readFileSync(file, 'utf8').match(/^import\b|^\} from '/gm) ?? [];
    if (written.length > 0)
      t.ok(
        imports.some((found) => found.file === file),
        file,
      );
    // A command loads what it needs when it is asked for, so that the help of another is quick. Most nodes use no Redis, and a
    // start need not wait for passkeys or outside providers.
    const hidden = /^src\/(commands\/|parts\/(passkeys|providers)\/|parts\/redis\/redis-link)/.test(
      file,
    )
      ? /\b(import\((?!')|require\()/
      : /\b(import|require)\(/;
    t.notMatch(readFileSync(file, 'utf8'), hidden, `${file}: in plain sight`);
  }
  for (const found of inner) t.ok(files.includes(targetOf(found)), line(found));
});

t.test('imports run one way, types included', async (t) => {
  const backwards = inner.filter((found) => {
    const [from, to] = [placeOf(found.file), placeOf(targetOf(found))];
    return !isRoom(from) || !isRoom(to) || (from !== to && DEPTHS[from] >= DEPTHS[to]);
  });
  t.same(backwards.map(line), []);
});

t.test('each room keeps its promise', async (t) => {
  for (const [room, { never, packages }] of Object.entries(PROMISES)) {
    const inRoom = files.filter((file) => placeOf(file) === room);
    t.ok(inRoom.length > 0, room);
    for (const file of inRoom) t.notMatch(codeOf(file), never, file);
    const strangers = outer.filter(
      ({ file, specifier }) => placeOf(file) === room && !packages.test(specifier),
    );
    t.same(strangers.map(line), [], room);
  }
});

t.test('the scripts of the pages import only one another and the browser module', async (t) => {
  const scripts = globSync('src/pages/**/*.js').sort();
  t.ok(scripts.length > 5);
  for (const file of scripts) {
    for (const [, found = ''] of readFileSync(file, 'utf8').matchAll(/^(?:import|\}).* '(.+)';$/gm))
      t.ok(
        /^(\.\/|\.\.\/)client(-passkeys|-mail-codes)?\.js$/.test(found) ||
          scripts.includes(join(dirname(file), found)),
        file,
      );
    t.notMatch(codeOf(file), /\b(process|Buffer|require|innerHTML|eval)\b|\bimport\(/, file);
  }
});

t.test('below http only the carrier of @fastify/jwt knows Fastify', async (t) => {
  const below = outer.filter(
    ({ file, specifier }) =>
      /^@?fastify/.test(specifier) && ['actions', 'parts', 'rules'].includes(placeOf(file)),
  );
  t.same([...new Set(below.map(({ file }) => file))], ['src/parts/tokens/jws.ts']);
});

t.test('the joined parts are handed in: their file is imported for its type alone', async (t) => {
  const joined = inner.filter(
    (found) =>
      placeOf(targetOf(found)) === 'context' &&
      !found.typeOnly &&
      !['context', 'processes', 'commands'].includes(placeOf(found.file)),
  );
  t.same(joined.map(line), []);
});

t.test('the environment and the configuration come in by parameter', async (t) => {
  const readers = files.filter((file) => /\bprocess\.env\b/.test(readFileSync(file, 'utf8')));
  t.same(
    readers.filter((file) => file !== 'src/main.ts' && !file.startsWith('src/commands/')),
    [],
  );
  const users = inner.filter(
    (found) =>
      placeOf(targetOf(found)) === 'config' &&
      placeOf(found.file) !== 'config' &&
      !found.typeOnly &&
      !/^src\/(main|context)\.ts$|^src\/commands\//.test(found.file),
  );
  t.same(users.map(line), []);
});

t.test('only storage knows a database', async (t) => {
  const strangers = outer.filter(
    ({ file, specifier }) => DATABASE.test(specifier) && !file.startsWith('src/parts/storage/'),
  );
  t.same(strangers.map(line), []);
  t.ok(outer.some(({ specifier }) => DATABASE.test(specifier)));
});

t.test('only mail knows a mail server', async (t) => {
  const strangers = outer.filter(
    ({ file, specifier }) => MAIL_SERVER.test(specifier) && !file.startsWith('src/parts/mail/'),
  );
  t.same(strangers.map(line), []);
  t.ok(outer.some(({ specifier }) => MAIL_SERVER.test(specifier)));
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
    const [, patterns = ''] = /^suite\(([\s\S]*?)\);$/m.exec(readFileSync(file, 'utf8')) ?? [];
    return [...patterns.matchAll(/'([^']+)'/g)].map(([, pattern]) => `test/${pattern}.test.ts`);
  });
  const run = named.flatMap((pattern) => globSync(pattern));
  const all = globSync('test/**/*.test.ts').filter((file) => !file.startsWith('test/suites/'));
  t.same(run.sort(), all.sort());
});
