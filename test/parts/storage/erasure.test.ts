import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { newPerson, withoutPersonalData } from '../../../src/rules/accounts.ts';
import type { User } from '../../../src/schemas/user.ts';
import { sqliteFile, usersOf } from '../../databases.ts';
import { NOW } from '../../rules/samples.ts';

const engine = sqliteFile(t);

/** Every byte of the files of a database. */
const bytesOf = (url: string) => {
  const path = url.slice('file:'.length);
  return ['', '-wal', '-shm']
    .map((end) => path + end)
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, 'latin1'))
    .join('\n');
};

/** No two of them share eight characters in a row. */
const canary = (kind: string, n: number) =>
  `${kind}${String(n * 7_919 + 1_000_003).padStart(8, '0')}z`;

/** A pseudorandom place among 300, the same in each run, so that the layout of the files is too. */
const scattered = (n: number) => (n * 7_919) % 300;

/** Of the columns, and of the members of their JSON. */
const KINDS = 'addr name hash agnt clms pkid pkey pknm used sub1 sub4 nonc code'.split(' ');

/** A person whose number is in every column of the row. */
const person = (n: number): User => ({
  ...newPerson(
    {
      id: `00000000-0000-7000-9000-${String(scattered(n)).padStart(12, '0')}`,
      email: `${canary('addr', n)}@example.com`,
      name: canary('name', n),
      passwordHash: canary('hash', n),
    },
    NOW + n,
  ),
  roles: [`r${n}`],
  claims: { plan: canary('clms', n) },
  passkeys: [
    {
      id: canary('pkid', n),
      public_key: canary('pkey', n),
      counter: 0,
      transports: [],
      name: canary('pknm', n),
      backed_up: false,
      created_at: NOW,
      used: [{ id: canary('used', n), until: NOW }],
    },
  ],
  identity_1: `https://provider.example.com|${canary('sub1', n)}`,
  identity_4: `https://other.example.com|${canary('sub4', n)}`,
  used_nonces: [{ id: canary('nonc', n), until: NOW }],
  mail_codes: { counter: 0, tried: [{ id: canary('code', n), tries: 1, until: NOW }] },
});

/** One session more, so that rows outgrow their place and pages are split. */
const withSession = (user: User, n: number, at: number): User => ({
  ...user,
  sessions: [
    ...user.sessions,
    {
      id: `session${at}`,
      gen: 0,
      created_at: NOW,
      rotated_at: NOW,
      expires_at: NOW + 1,
      amr: ['pwd'],
      transport: 'body',
      client: `${canary('agnt', n)} ${'x'.repeat((n * 37) % 200)}`,
    },
  ],
});

t.test('no byte of deleted users stays, even if rows were moved and pages split', async (t) => {
  const { url, users } = await usersOf(t, engine);
  const COUNT = 300;
  const people = Array.from({ length: COUNT }, (_, n) => person(n));
  for (const user of people.toSorted(
    (a, b) => scattered(a.created_at - NOW + 1) - scattered(b.created_at - NOW + 1),
  ))
    await users.insert(user);
  for (let round = 0; round < 6; round += 1) {
    await Promise.all(
      people.map((user, n) =>
        users.change(user.id, (seen) => ({ user: withSession(seen, n, round), result: 1 })),
      ),
    );
  }
  const isGone = (n: number) => n % 3 !== 0;
  await Promise.all(
    people
      .filter((_, n) => isGone(n))
      .map(({ id }) =>
        users.change(id, (seen) => ({ user: withoutPersonalData(seen, NOW), result: 1 })),
      ),
  );
  const check = (when: string) => {
    const bytes = bytesOf(url);
    for (const kind of KINDS) {
      const left = people.flatMap((_, n) => (bytes.includes(canary(kind, n)) ? [n] : []));
      t.same(left.filter(isGone), [], `${when}: no ${kind} of those who are gone`);
      t.equal(left.length, COUNT / 3, `${when}: every ${kind} of those who stay`);
    }
  };
  check('emptied');
  await users.removeDeleted(NOW + 1);
  check('removed');
});
