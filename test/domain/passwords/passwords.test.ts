import t from 'tap';
import { HashQueue } from '../../../src/domain/passwords/hash-queue.ts';
import { Passwords } from '../../../src/domain/passwords/passwords.ts';

const cost = { memory: 19_456, passes: 2 };
const passwords = new Passwords(cost, new HashQueue({ concurrency: 2, waiting: 100 }));

t.test(
  'PWD-06 a hash is Argon2id with the costs that were asked for, and has its own salt',
  async (t) => {
    const hash = await passwords.hash('correct horse battery');
    const [, kind, version, costs = ''] = hash.split('$');
    t.same(
      [kind, version, costs.split(',').sort()],
      ['argon2id', 'v=19', ['m=19456', 'p=1', 't=2']],
    );
    t.not(await passwords.hash('correct horse battery'), hash);
  },
);

t.test('only the same password matches, to the last character', async (t) => {
  const long = 'x'.repeat(127);
  const hash = await passwords.hash(`${long}y`);
  t.equal(await passwords.matches(hash, `${long}y`), true);
  for (const other of [`${long}z`, long, `${long}y `, `${long.toUpperCase()}Y`, '']) {
    t.equal(await passwords.matches(hash, other), false);
  }
});

t.test(
  'PWD-04 the ways in which keyboards write one character are the same password',
  async (t) => {
    const hash = await passwords.hash('Zo\u00eb speaks \u00c5ngstr\u00f6m');
    t.equal(await passwords.matches(hash, 'Zoe\u0308 speaks A\u030angstro\u0308m'), true);
    t.equal(await passwords.matches(hash, 'Zoe speaks Angstrom'), false);
    const decomposed = await passwords.hash('e\u0308');
    t.equal(await passwords.matches(decomposed, '\u00eb'), true);
  },
);

t.test(
  'PWD-09 no hash, an empty one, a damaged one: nobody gets in, and it is no fault',
  async (t) => {
    const hash = await passwords.hash('correct horse battery');
    const damaged = [
      undefined,
      null,
      '',
      'correct horse battery',
      '$argon2id$',
      hash.slice(0, 40),
      hash.replace('m=19456', 'm=x'),
      `${hash.slice(0, -4)}!!!!`,
      '$2b$10$abcdefghijklmnopqrstuv',
    ];
    for (const bad of damaged) {
      t.equal(await passwords.matches(bad, 'correct horse battery'), false, String(bad));
    }
  },
);

t.test('whatever the hash is, the answer costs as much as a real one', async (t) => {
  const hash = await passwords.hash('correct horse battery');
  const fastest = async (stored: string | undefined) => {
    let least = Number.POSITIVE_INFINITY;
    for (let turn = 0; turn < 5; turn += 1) {
      const start = process.hrtime.bigint();
      await passwords.matches(stored, 'wrong');
      least = Math.min(least, Number(process.hrtime.bigint() - start));
    }
    return least;
  };
  const real = await fastest(hash);
  for (const stored of [undefined, 'no hash', '$2b$10$another', '$argon2id$damaged']) {
    t.ok((await fastest(stored)) > real / 3, `${stored}`);
  }
});

t.test('a hash of other costs is outdated, one of the same is not', async (t) => {
  const hash = await passwords.hash('correct horse battery');
  t.equal(passwords.isOutdated(hash), false);
  t.equal(
    new Passwords(
      { ...cost, passes: 3 },
      new HashQueue({ concurrency: 2, waiting: 100 }),
    ).isOutdated(hash),
    true,
  );
  t.equal(
    new Passwords(
      { ...cost, memory: 20_480 },
      new HashQueue({ concurrency: 2, waiting: 100 }),
    ).isOutdated(hash),
    true,
  );
  t.equal(
    await new Passwords(
      { ...cost, passes: 3 },
      new HashQueue({ concurrency: 2, waiting: 100 }),
    ).matches(hash, 'correct horse battery'),
    true,
  );
});

t.test('a hash that was made elsewhere is outdated, whatever it cost', async (t) => {
  const hash = await passwords.hash('correct horse battery');
  for (const other of [`$2b$10$${'a'.repeat(53)}`, hash.replace('$argon2id$', '$argon2i$')])
    t.equal(passwords.isOutdated(other), true, other);
});
