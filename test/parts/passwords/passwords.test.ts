import argon2 from 'argon2';
import bcrypt from 'bcrypt';
import t from 'tap';
import { isVerifiable } from '../../../src/parts/passwords/foreign-hashes.ts';
import { HashQueue } from '../../../src/parts/passwords/hash-queue.ts';
import { Passwords } from '../../../src/parts/passwords/passwords.ts';

const cost = { memory: 19_456, passes: 2 };
const passwords = new Passwords(cost, new HashQueue({ concurrency: 2, waiting: 100 }));

t.test('PWD-06 a hash is Argon2id with the configured costs and its own salt', async (t) => {
  const hash = await passwords.hash('correct horse battery');
  const [, kind, version, costs = ''] = hash.split('$');
  t.same([kind, version, costs.split(',').sort()], ['argon2id', 'v=19', ['m=19456', 'p=1', 't=2']]);
  t.not(await passwords.hash('correct horse battery'), hash);
});

t.test('only the same password matches, to the last character', async (t) => {
  const long = 'x'.repeat(127);
  const hash = await passwords.hash(`${long}y`);
  t.equal(await passwords.check(hash, `${long}y`), 'right');
  for (const other of [`${long}z`, long, `${long}y `, `${long.toUpperCase()}Y`, '']) {
    t.equal(await passwords.check(hash, other), 'wrong');
  }
});

t.test('PWD-04 different encodings of one character are the same password', async (t) => {
  const hash = await passwords.hash('Zo\u00eb speaks \u00c5ngstr\u00f6m');
  t.equal(await passwords.check(hash, 'Zoe\u0308 speaks A\u030angstro\u0308m'), 'right');
  t.equal(await passwords.check(hash, 'Zoe speaks Angstrom'), 'wrong');
  const decomposed = await passwords.hash('e\u0308');
  t.equal(await passwords.check(decomposed, '\u00eb'), 'right');
});

t.test(
  'PWD-09 no hash, an empty one or a damaged one never matches, and is not a fault',
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
      t.equal(await passwords.check(bad, 'correct horse battery'), 'unusable', String(bad));
    }
  },
);

t.test('checking any hash costs as much as checking a real one', async (t) => {
  const hash = await passwords.hash('correct horse battery');
  /** Processor time (µs), which other work on the machine changes little. */
  const costOf = async (stored: string | undefined) => {
    let least = Number.POSITIVE_INFINITY;
    for (let turn = 0; turn < 5; turn += 1) {
      const begun = process.cpuUsage();
      await passwords.check(stored, 'wrong');
      const { user, system } = process.cpuUsage(begun);
      least = Math.min(least, user + system);
    }
    return least;
  };
  const real = await costOf(hash);
  for (const stored of [undefined, 'no hash', '$2b$10$another', '$argon2id$damaged']) {
    t.ok((await costOf(stored)) > real / 3, `${stored}`);
  }
});

t.test('a hash is outdated only if its costs differ', async (t) => {
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
    ).check(hash, 'correct horse battery'),
    'outdated',
  );
});

t.test('a hash made elsewhere is always outdated', async (t) => {
  const hash = await passwords.hash('correct horse battery');
  for (const other of [`$2b$10$${'a'.repeat(53)}`, hash.replace('$argon2id$', '$argon2i$')])
    t.equal(passwords.isOutdated(other), true, other);
});

t.test('a hash that would take minutes is not computed', async (t) => {
  const hash = await passwords.hash('correct horse battery');
  for (const costs of [
    'm=19456,t=4294967295,p=1',
    'm=2097152,t=1,p=1',
    'm=4294967295,t=4294967295,p=1',
    'm=1048576,t=5,p=1',
    'm=1048576,t=1,p=100000',
  ]) {
    const costly = hash.replace(/m=[^$]*/, costs);
    t.equal(await passwords.check(costly, 'correct horse battery'), 'unusable', costs);
  }
});

t.test('the configured cost is always accepted', async (t) => {
  const huge = { memory: 4_194_304, passes: 64 };
  const hash = (costs: string) => `$argon2id$v=19$${costs}$${'a'.repeat(22)}$${'a'.repeat(43)}`;
  for (const [costs, configured, bearable] of [
    ['m=4194304,t=64,p=1', huge, true],
    ['m=4194304,t=64,p=1', undefined, false],
    ['m=4194304,t=64,p=1', cost, false],
    ['m=2097152,t=128,p=1', huge, true],
    ['m=4194305,t=1,p=1', huge, false],
    ['m=4194304,t=65,p=1', huge, false],
    ['m=1048576,t=4,p=1', cost, true],
    ['m=19456,t=2,p=65', cost, false],
  ] as const)
    t.equal(isVerifiable(hash(costs), configured), bearable, `${costs} ${configured?.memory}`);
});

t.test('canDerive refuses an impossible salt or cost', async (t) => {
  const salt = Buffer.alloc(16);
  for (const [settings, possible] of [
    [{ salt, cost }, true],
    [{ salt, cost: { memory: 8, passes: 1 } }, true],
    [{ salt, cost: { memory: 7, passes: 1 } }, false],
    [{ salt, cost: { memory: 19_456, passes: 0 } }, false],
    [{ salt, cost: { memory: -1, passes: -1 } }, false],
    [{ salt, cost: { memory: 2_097_152, passes: 2 } }, false],
    [{ salt, cost: { memory: 19_456, passes: 4_294_967_295 } }, false],
    [{ salt: Buffer.alloc(7), cost }, false],
  ] as const)
    t.equal(passwords.canDerive(settings), possible, JSON.stringify(settings.cost));
});

const SPACES = '\u00a0\u1680\u2000\u2002\u2003\u2007\u2009\u202f\u205f\u3000';

t.test('RFC 8265: every kind of space counts as a space', async (t) => {
  const hash = await passwords.hash('a lantern in the rain');
  for (const space of SPACES)
    t.equal(
      await passwords.check(hash, `a${space}lantern in${space}the rain`),
      'right',
      JSON.stringify(space),
    );
  for (const none of ['\u200b', '\t', '\u2060'])
    t.equal(await passwords.check(hash, `a${none}lantern in the rain`), 'wrong');
  const typed = await passwords.hash('a\u00a0lantern in the\u3000rain');
  t.equal(
    await passwords.check(typed, 'a lantern in the rain'),
    'right',
    'also the other way round',
  );
});

t.test('a password hashed with its no-break space is right, and outdated', async (t) => {
  const typed = 'Zoe\u0308 a\u00a0lantern';
  const { memory, passes } = cost;
  const options = { memoryCost: memory, timeCost: passes, parallelism: 1 };
  const old = await argon2.hash(typed.normalize('NFC'), options);
  t.equal(await passwords.check(old, typed), 'outdated');
  t.equal(await passwords.check(old, 'Zo\u00eb a\u00a0lantern'), 'outdated');
  t.equal(await passwords.check(old, 'Zo\u00eb a lantern'), 'wrong', 'as before');
  t.equal(await passwords.check(old, 'Zo\u00eb a\u00a0lamp'), 'wrong');
  t.equal(await passwords.check(await passwords.hash(typed), typed), 'right', 'hashed again');
});

t.test('for hashes of other systems the typed form is tried first, then the others', async (t) => {
  for (const word of ['Zoe\u0308 a\u00a0lantern', 'Zo\u00eb a\u00a0lantern', 'Zo\u00eb a lantern'])
    for (const hash of [await bcrypt.hash(word, 4), await argon2.hash(word, { memoryCost: 64 })])
      t.equal(await passwords.check(hash, word), 'outdated', JSON.stringify(word));
  const spaced = await bcrypt.hash('Zo\u00eb a lantern', 4);
  t.equal(await passwords.check(spaced, 'Zoe\u0308 a\u00a0lantern'), 'outdated');
});

t.test('AUT-01 a password with two forms costs two hashes, with or without a user', async (t) => {
  const hash = await passwords.hash('correct horse battery');
  const { verify } = argon2;
  t.teardown(() => {
    argon2.verify = verify;
  });
  let verified = 0;
  argon2.verify = (...args) => {
    verified += 1;
    return verify(...args);
  };
  for (const [password, forms] of [
    ['not the password', 1],
    ['not\u00a0the password', 2],
    ['Zoe\u0308\u00a0wrote it', 3],
  ] as const)
    for (const stored of [hash, undefined, null, 'damaged', hash.replace('t=2', 't=4294967295')]) {
      verified = 0;
      await passwords.check(stored, password);
      t.equal(verified, forms, `${password}: ${stored}`);
    }
});
