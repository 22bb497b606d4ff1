import { pbkdf2Sync, scryptSync } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import argon2 from 'argon2';
import bcrypt from 'bcrypt';
import t from 'tap';
import { isVerifiable, matchesForeign } from '../../../src/parts/passwords/foreign-hashes.ts';
import { HashQueue } from '../../../src/parts/passwords/hash-queue.ts';
import { Passwords } from '../../../src/parts/passwords/passwords.ts';

const WORD = 'pleaseletmein';
const passwords = new Passwords(
  { memory: 19_456, passes: 2 },
  new HashQueue({ concurrency: 2, waiting: 100 }),
);

const phc = (bytes: Buffer | string) => Buffer.from(bytes).toString('base64').replaceAll('=', '');
const passlib = (bytes: Buffer | string) => phc(bytes).replaceAll('+', '.');
const SALT = Buffer.from('SodiumChloride');
const scrypted = (bytes = 64) => scryptSync(WORD, SALT, bytes, { N: 16_384, r: 8, p: 1 });
const derived = (bits: 256 | 512, bytes = bits / 8) =>
  pbkdf2Sync(WORD, SALT, 1_000, bytes, `sha${bits}`);

/** RFC 7914 section 12. */
const RFC_7914 =
  '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2' +
  'd5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887';

t.test('a hash of another system matches its password and no other', async (t) => {
  const hashes = {
    bcrypt: await bcrypt.hash(WORD, 4),
    'bcrypt as PHP writes it': (await bcrypt.hash(WORD, 4)).replace('$2b$', '$2y$'),
    'bcrypt as it was once': (await bcrypt.hash(WORD, 4)).replace('$2b$', '$2a$'),
    'scrypt of the RFC': `$scrypt$ln=14,r=8,p=1$${phc(SALT)}$${phc(Buffer.from(RFC_7914, 'hex'))}`,
    'scrypt of 16 bytes': `$scrypt$ln=14,r=8,p=1$${phc(SALT)}$${phc(scrypted(16))}`,
    'scrypt of many lanes': `$scrypt$ln=4,r=1,p=40$${phc(SALT)}$${phc(
      scryptSync(WORD, SALT, 32, { N: 16, r: 1, p: 40 }),
    )}`,
    'scrypt of many wide lanes': `$scrypt$ln=4,r=16,p=40$${phc(SALT)}$${phc(
      scryptSync(WORD, SALT, 32, { N: 16, r: 16, p: 40 }),
    )}`,
    'PBKDF2 of 16 bytes': `$pbkdf2-sha256$i=1000$${phc(SALT)}$${phc(derived(256, 16))}`,
    'PBKDF2 as PHC': `$pbkdf2-sha256$i=1000$${phc(SALT)}$${phc(derived(256))}`,
    'PBKDF2 with its length': `$pbkdf2-sha256$i=1000,l=32$${phc(SALT)}$${phc(derived(256))}`,
    'PBKDF2 of SHA-512': `$pbkdf2-sha512$i=1000$${phc(SALT)}$${phc(derived(512))}`,
    'PBKDF2 as Passlib writes it': `$pbkdf2-sha256$1000$${passlib(SALT)}$${passlib(derived(256))}`,
  };
  for (const [name, hash] of Object.entries(hashes)) {
    t.equal(isVerifiable(hash), true, name);
    t.equal(await matchesForeign(hash, WORD), true, name);
    for (const other of ['', 'pleaseletmeim', 'PLEASELETMEIN', `${WORD} `])
      t.equal(await matchesForeign(hash, other), false, `${name}: ${JSON.stringify(other)}`);
  }
});

t.test('published hashes of other implementations are accepted', async (t) => {
  // From Openwall's test of crypt_blowfish, and an example in Passlib's manual.
  const bcrypted = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';
  t.equal(await matchesForeign(bcrypted, 'U*U'), true);
  t.equal(await matchesForeign(bcrypted, 'U*V'), false);
  const derivedByPasslib =
    '$pbkdf2-sha256$6400$.6UI/S.nXIk8jcbdHx3Fhg$98jZicV16ODfEsEZeYPGHU3kbrUrvUEXOPimVSQDD44';
  t.equal(await matchesForeign(derivedByPasslib, 'password'), true);
  t.equal(await matchesForeign(derivedByPasslib, 'Password'), false);
});

t.test('Argon2 of every type, cost and order of costs is accepted at sign-in', async (t) => {
  for (const type of [argon2.argon2i, argon2.argon2d, argon2.argon2id] as const) {
    const hash = await argon2.hash(WORD, {
      type,
      memoryCost: 1_024,
      timeCost: 3,
      parallelism: 2,
    });
    const [, kind, version, costs = '', ...rest] = hash.split('$');
    for (const order of [costs, costs.split(',').sort().join(), 'm=1024,t=3,p=2']) {
      const spelt = ['', kind, version, order, ...rest].join('$');
      t.equal(isVerifiable(spelt), true, spelt);
      t.equal(await matchesForeign(spelt, WORD), undefined, 'none of the three');
      t.equal(await passwords.check(spelt, WORD), 'outdated');
      t.equal(await passwords.check(spelt, 'pleaseletmeim'), 'wrong');
    }
    t.equal(passwords.isOutdated(hash), true);
  }
});

t.test('unsupported and too costly hashes are refused', async (t) => {
  const salt = phc(SALT);
  const bytes = phc(scrypted(32));
  const bcrypted = (cost: string) => `$2b$${cost}$${'a'.repeat(53)}`;
  const refused = [
    '',
    'plain',
    `{SSHA}${bytes}`,
    '5f4dcc3b5aa765d61d8327deb882cf99',
    '$1$saltsalt$qjXMvbEw8oaL.CzflDugm/',
    '$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc',
    bcrypted('03'),
    bcrypted('17'),
    bcrypted('99'),
    bcrypted('10').slice(0, -1),
    `${bcrypted('10')}a`,
    `x${bcrypted('10')}`,
    bcrypted('10').replace('2b', '2x'),
    `$scrypt$ln=0,r=8,p=1$${salt}$${bytes}`,
    `$scrypt$ln=14,r=0,p=1$${salt}$${bytes}`,
    `$scrypt$ln=14,r=8,p=0$${salt}$${bytes}`,
    `$scrypt$ln=21,r=8,p=1$${salt}$${bytes}`,
    `$scrypt$ln=99,r=99,p=1$${salt}$${bytes}`,
    `$scrypt$ln=20,r=8,p=5$${salt}$${bytes}`,
    `$scrypt$ln=14,r=8$${salt}$${bytes}`,
    `$scrypt$ln=14,r=8,p=1$$${bytes}`,
    `$pbkdf2-sha256$i=0$${salt}$${bytes}`,
    `$pbkdf2-sha256$i=10000001$${salt}$${bytes}`,
    `$pbkdf2-sha256$i=999999999$${salt}$${bytes}`,
    `$pbkdf2-sha256$i=5000001$${salt}$${phc(scrypted(33))}`,
    `$pbkdf2-sha256$i=1000001$${salt}$${phc(scrypted(320))}`,
    `$pbkdf2-sha512$i=5000001$${salt}$${phc(scrypted(65))}`,
    `$pbkdf2-sha256$i=1$${salt}$${phc(scrypted(400))}`,
    `$pbkdf2-sha1$i=1000$${salt}$${bytes}`,
    `$pbkdf2$i=1000$${salt}$${bytes}`,
    `$argon2id$v=16$m=65536,t=3,p=4$${salt}$${bytes}`,
    `$argon2id$m=65536,t=3,p=4$${salt}$${bytes}`,
    `$argon2x$v=19$m=65536,t=3,p=4$${salt}$${bytes}`,
    `$argon2id$v=19$m=65536,t=3$${salt}$${bytes}`,
    `$argon2id$v=19$m=65536,m=65536,m=65536$${salt}$${bytes}`,
    `$argon2id$v=19$m=0,t=3,p=4$${salt}$${bytes}`,
    `$argon2id$v=19$m=31,t=3,p=4$${salt}$${bytes}`,
    `$argon2id$v=19$m=65536,t=0,p=4$${salt}$${bytes}`,
    `$argon2id$v=19$m=1048577,t=1,p=1$${salt}$${bytes}`,
    `$argon2id$v=19$m=1048576,t=5,p=1$${salt}$${bytes}`,
    `$argon2id$v=19$m=65536,t=99999999,p=1$${salt}$${bytes}`,
    `$argon2id$v=19$m=65536,t=4294967295,p=1$${salt}$${bytes}`,
    `$argon2id$v=19$m=1048576,t=1,p=65$${salt}$${bytes}`,
    `$argon2id$v=19$m=65536,t=3,p=4$${salt}$`,
  ];
  for (const hash of refused) {
    t.equal(isVerifiable(hash), false, hash);
    t.equal(await matchesForeign(hash, WORD), undefined, hash);
  }
  for (const bearable of [
    bcrypted('16'),
    `$scrypt$ln=20,r=8,p=4$${salt}$${bytes}`,
    `$pbkdf2-sha256$i=10000000$${salt}$${bytes}`,
    `$pbkdf2-sha512$i=10000000$${salt}$${phc(scrypted(64))}`,
    `$pbkdf2-sha256$i=5000000$${salt}$${phc(scrypted(33))}`,
    `$argon2id$v=19$m=1048576,t=1,p=64$${salt}$${bytes}`,
    `$argon2id$v=19$m=1048576,t=4,p=4$${salt}$${bytes}`,
    `$argon2i$v=19$m=32,t=3,p=4$${salt}$${bytes}`,
  ])
    t.equal(isVerifiable(bearable), true, bearable);
});

t.test('an empty or very short hash matches nothing', async (t) => {
  for (const short of ['a', '.', phc(scrypted(1)), phc(scrypted(15)).slice(0, 21)]) {
    for (const hash of [
      `$scrypt$ln=14,r=8,p=1$${phc(SALT)}$${short}`,
      `$pbkdf2-sha256$i=1000$${phc(SALT)}$${short}`,
      `$pbkdf2-sha512$1000$${phc(SALT)}$${short}`,
    ]) {
      t.equal(isVerifiable(hash), false, hash);
      for (const word of ['', 'anything']) {
        t.not(await matchesForeign(hash, word), true, hash);
        t.equal(await passwords.check(hash, word), 'unusable', hash);
      }
    }
  }
});

t.test('a hash with text before or after it is refused', async (t) => {
  const [salt, bytes] = [phc(SALT), phc(scrypted(32))];
  for (const hash of [
    `$2b$10$${'a'.repeat(53)}`,
    `$scrypt$ln=14,r=8,p=1$${salt}$${bytes}`,
    `$pbkdf2-sha256$i=1000$${salt}$${bytes}`,
    `$argon2id$v=19$m=65536,t=3,p=4$${salt}$${bytes}`,
  ]) {
    t.equal(isVerifiable(hash), true, hash);
    for (const spoilt of [`x${hash}`, `${hash}!`, `${hash}$`, ` ${hash}`, `${hash}\n`])
      t.equal(isVerifiable(spoilt), false, JSON.stringify(spoilt));
  }
});

t.test('Argon2 is accepted down to 8 KiB, a salt of 8 bytes and a hash of 16', async (t) => {
  const argon = (costs: string, salt: number, bytes: number) =>
    isVerifiable(`$argon2id$v=19$${costs}$${'a'.repeat(salt)}$${'a'.repeat(bytes)}`);
  t.equal(argon('m=8,t=1,p=1', 11, 22), true);
  t.equal(argon('m=7,t=1,p=1', 11, 22), false);
  t.equal(argon('m=8,t=1,p=1', 10, 22), false);
  t.equal(argon('m=8,t=1,p=1', 11, 21), false);
});

t.test('a bcrypt check does not block the event loop', async (t) => {
  const check = matchesForeign(await bcrypt.hash(WORD, 12), WORD).then(() => 'checked');
  let turns = 0;
  for (let seen = 'turned'; seen !== 'checked'; turns += 1)
    seen = await Promise.race([check, setImmediate('turned')]);
  // On this thread it would be one per tenth of a second: three.
  t.ok(turns > 20, `${turns} turns`);
});

/** Of Python's bcrypt, hmac and hashlib, Django and Passlib. The one of Firebase is that of github.com/firebase/scrypt. */
const OF_ONE_SYSTEM: Record<string, [hash: string, password: string]> = {
  WordPress: [
    '$wp$2y$04$bjEpjxkCa8gDJZrafp6hS.lqqulN37d/RhGvjLJgLw0KFhq83hjw6',
    'correct horse battery staple',
  ],
  'WordPress before 6.8': ['$P$Bn1Haawwdw8lygxlS/pjDWYU7SD6470', 'correct horse battery staple'],
  phpBB: ['$H$Bn1Haawwdw8lygxlS/pjDWYU7SD6470', 'correct horse battery staple'],
  Django: [
    'bcrypt_sha256$$2b$04$Q.Jesb0HjD7Kqww91z1Vuu3CiXDPBiWxAQcp0ebvL/eRAd0FOru2.',
    'correct horse battery staple',
  ],
  Firebase: [
    '$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==',
    'user1password',
  ],
};

t.test('a hash in the form of one system matches its password and no other', async (t) => {
  for (const [name, [hash, password]] of Object.entries(OF_ONE_SYSTEM)) {
    t.equal(isVerifiable(hash), true, name);
    t.equal(await passwords.check(hash, password), 'outdated', name);
    for (const other of ['', password.toUpperCase(), `${password}.`]) {
      t.equal(await matchesForeign(hash, other), false, name);
      t.equal(await passwords.check(hash, other), 'wrong', name);
    }
    for (const spoilt of [`x${hash}`, `${hash}!`, `${hash}$`, ` ${hash}`, `${hash}\n`])
      t.equal(isVerifiable(spoilt), false, JSON.stringify(spoilt));
  }
});

t.test('a hash in the form of one system is bounded in its cost', async (t) => {
  const [phpass, firebase] = ['WordPress before 6.8', 'Firebase'].map(
    (name) => (OF_ONE_SYSTEM[name] as [string, string])[0],
  ) as [string, string];
  const bearable = [
    phpass.replace('B', 'F'),
    phpass.replace('B', '5'),
    firebase.replace('n=14', 'n=20'),
  ];
  for (const hash of bearable) t.equal(isVerifiable(hash), true, hash);
  const refused = [
    phpass.replace('B', 'G'),
    phpass.replace('B', 'S'),
    phpass.replace('B', '4'),
    phpass.replace('B', '.'),
    firebase.replace('n=14', 'n=21'),
    firebase.replace('n=14', 'n=99'),
    firebase.replace('r=8', 'r=99').replace('n=14', 'n=17'),
    firebase.replace('p=1', 'p=2'),
    firebase.replace(/\$[^$]+$/, '$'),
    '$wp$2y$17$bjEpjxkCa8gDJZrafp6hS.lqqulN37d/RhGvjLJgLw0KFhq83hjw6',
    '$wp$2y$03$bjEpjxkCa8gDJZrafp6hS.lqqulN37d/RhGvjLJgLw0KFhq83hjw6',
    'bcrypt_sha256$$2b$17$Q.Jesb0HjD7Kqww91z1Vuu3CiXDPBiWxAQcp0ebvL/eRAd0FOru2.',
    'bcrypt_sha256$$2b$04$short',
  ];
  for (const hash of refused) {
    t.equal(isVerifiable(hash), false, hash);
    t.equal(await matchesForeign(hash, WORD), undefined, hash);
  }
});

t.test('a signer key that was cut matches nothing, and no separator is needed', async (t) => {
  const [firebase, password] = OF_ONE_SYSTEM['Firebase'] as [string, string];
  const cut = firebase.replace(/sk=(.{40})[^$]+/, 'sk=$1');
  t.equal(isVerifiable(cut), true);
  t.equal(await matchesForeign(cut, password), false);
  t.equal(await matchesForeign(firebase.replace('ss=Bw==,', ''), password), false);
});

t.test('phpass gives way to other work', async (t) => {
  const [hash, password] = OF_ONE_SYSTEM['WordPress before 6.8'] as [string, string];
  const check = matchesForeign(hash, password).then(() => 'checked');
  let turns = 0;
  for (let seen = 'turned'; seen !== 'checked'; turns += 1)
    seen = await Promise.race([check, setImmediate('turned')]);
  t.ok(turns >= 8, `${turns} turns`);
});
