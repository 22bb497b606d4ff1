import { sql } from 'kysely';
import t, { type Test } from 'tap';
import { newUserId } from '../../../src/parts/ids.ts';
import type { Database } from '../../../src/parts/storage/database.ts';
import { decoyId } from '../../../src/parts/storage/decoy-rows.ts';
import {
  EmailTaken,
  IdentityTaken,
  StorageFault,
  UnreadableRow,
  Users,
} from '../../../src/parts/storage/users.ts';
import { newPerson, withoutPersonalData } from '../../../src/rules/accounts.ts';
import type { User } from '../../../src/schemas/user.ts';
import { deaf, opened, postgres, sqliteFile, sqliteInMemory, usersOf } from '../../databases.ts';
import { NOW } from '../../rules/samples.ts';

const person = (email = 'ada@example.com', changes: Partial<User> = {}): User => ({
  ...newPerson({ id: newUserId(NOW), email, name: 'Ada', passwordHash: 'hash' }, NOW),
  ...changes,
});

const session = {
  id: 'session',
  gen: 3,
  created_at: NOW,
  rotated_at: NOW + 1,
  expires_at: NOW + 2,
  amr: ['pwd', 'otp'],
  transport: 'cookie',
  client: 'O\'Brien \u{1f511} "; drop table users',
  attempt: 'hash',
  ended_at: NOW + 3,
} as const;

const full: Partial<User> = {
  email_verified_at: NOW + 4,
  claimed_at: NOW + 4,
  devices_since: NOW + 4,
  name: "Robert'); drop table users;--",
  roles: ['admin', 'editor'],
  status: 'disabled',
  token_version: 7,
  access_version: 8,
  sessions: [{ ...session, amr: [...session.amr] }],
  revoked_at: NOW + 5,
  last_login_at: NOW + 6,
};

/** Makes each update of the table find no row, as if another node had always been faster. */
async function alwaysFirst(db: Database, url: string) {
  if (url.startsWith('file:')) {
    await sql`create trigger rival before update on users begin select raise(ignore); end`.execute(
      db,
    );
    return;
  }
  await sql`create function rival() returns trigger language plpgsql as 'begin return null; end'`.execute(
    db,
  );
  await sql`create trigger rival before update on users for each row execute function rival()`.execute(
    db,
  );
}

async function fails(
  t: Test,
  promise: Promise<unknown>,
  kind: typeof EmailTaken | typeof StorageFault | typeof UnreadableRow,
) {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  t.ok(error instanceof kind, String(error));
}

const revokedSince = async (users: Users, instant: number, limit = 10) =>
  (await Array.fromAsync(users.revokedSince(instant, limit))).flat();

const rename = (name: string) => (user: User) => ({ user: { ...user, name }, result: name });

const server = await postgres(t);
const all = [sqliteInMemory, sqliteFile(t), server];

t.test('on every database', async (t) => {
  for (const engine of all) {
    t.test(engine.name, async (t) => {
      const shared = await usersOf(t, engine);
      /** Without users, and with nothing recorded. */
      const empty = async () => {
        await shared.db.deleteFrom('users').execute();
        shared.written.length = 0;
        shared.unreadable.length = 0;
        return shared;
      };

      t.test('a user is read as inserted, by id and by address', async (t) => {
        const { users } = await empty();
        for (const user of [person(), person('full@example.com', full)]) {
          await users.insert(user);
          t.same(await users.findById(user.id), user);
          t.same(await users.findByEmail(user.email_key ?? ''), user);
        }
        t.equal(await users.findById('another'), undefined);
        t.equal(await users.findByEmail('Ada@example.com'), undefined, 'only the key is compared');
        t.equal(await users.findByEmail("' or '1'='1"), undefined);
      });

      t.test('an address that is taken is refused, and its owner does not change', async (t) => {
        const { users } = await empty();
        const owner = person();
        await users.insert(owner);
        await fails(t, users.insert(person()), EmailTaken);
        t.same(await users.findByEmail('ada@example.com'), owner);
      });

      t.test('DAT-02 of twenty inserts of one address at once, one succeeds', async (t) => {
        const { users, db } = await empty();
        const answers = await Promise.allSettled(
          Array.from({ length: 20 }, () => users.insert(person())),
        );
        const refused = answers.flatMap((answer) =>
          answer.status === 'rejected' ? [answer.reason] : [],
        );
        t.equal(refused.length, 19);
        t.ok(refused.every((reason) => reason instanceof EmailTaken));
        const { count } = await db
          .selectFrom('users')
          .select(({ fn }) => fn.countAll().as('count'))
          .executeTakeFirstOrThrow();
        t.equal(Number(count), 1);
      });

      t.test('several users may have no address', async () => {
        const { users } = await empty();
        for (const email of ['a@example.com', 'b@example.com']) {
          await users.insert(withoutPersonalData(person(email), NOW));
        }
      });

      t.test(
        'a change may write every column, counts up the row version, and is reported',
        async (t) => {
          const { users, written } = await empty();
          const user = person();
          await users.insert(user);
          t.same(written, []);
          const next = { ...user, ...full, email: 'Ada@example.org', email_key: 'ada@example.org' };
          const decide = (seen: User) => {
            t.same(seen, user);
            return { user: next, result: 42 };
          };
          t.equal(await users.change(user.id, decide), 42);
          t.same(await users.findById(user.id), { ...next, row_version: 1 });
          t.same(written, [user.id]);
          t.equal(await users.findByEmail('ada@example.com'), undefined);
        },
      );

      t.test('a change writes no other column than those that it changes', async (t) => {
        const { users, db } = await empty();
        const user = person();
        await users.insert(user);
        const meanwhile = { name: 'Operator', mfa: '{"newer":1}', throttle: 'unreadable' };
        const demote = (seen: User) => ({
          user: { ...seen, roles: ['other'], id: 'x', kind: 'service' as const, created_at: 1 },
          result: undefined,
        });
        await users.change(user.id, demote, async () => {
          await db.updateTable('users').set(meanwhile).where('id', '=', user.id).execute();
          return undefined;
        });
        t.match(
          await db
            .selectFrom('users')
            .selectAll()
            .where('id', '=', user.id)
            .executeTakeFirstOrThrow(),
          { ...meanwhile, roles: '["other"]', kind: 'person', created_at: NOW, row_version: 1 },
        );
      });

      t.test('a change does not affect other rows', async (t) => {
        const { users } = await empty();
        const [user, neighbour] = [person(), person('eve@example.com')];
        await users.insert(user);
        await users.insert(neighbour);
        await users.change(user.id, rename('Other'));
        t.same(await users.findById(neighbour.id), neighbour);
      });

      t.test('a decision for the same user writes nothing', async (t) => {
        const { users, written } = await empty();
        const user = person();
        await users.insert(user);
        t.equal(
          await users.change(user.id, (seen) => ({ user: seen, result: 'as it was' })),
          'as it was',
        );
        t.same(await users.findById(user.id), user);
        t.same(written, []);
      });

      t.test('a change of an unknown user decides nothing', async (t) => {
        const { users } = await empty();
        const answer = await users.change('another', () => {
          throw new Error('decided');
        });
        t.equal(answer, undefined);
      });

      t.test(
        'a decision that throws changes nothing, and its error reaches the caller',
        async (t) => {
          const { users } = await empty();
          const user = person();
          await users.insert(user);
          const error = new Error('no');
          await t.rejects(
            users.change(user.id, () => {
              throw error;
            }),
            error,
          );
          t.same(await users.findById(user.id), user);
        },
      );

      t.test('a change to a taken address is refused, and nothing is written', async (t) => {
        const { users, written } = await empty();
        const [user, other] = [person(), person('eve@example.com')];
        await users.insert(user);
        await users.insert(other);
        const take = (seen: User) => ({
          user: { ...seen, email_key: 'eve@example.com' },
          result: 1,
        });
        await fails(t, users.change(user.id, take), EmailTaken);
        t.same(await users.findById(user.id), user);
        t.same(written, []);
      });

      t.test('an account at a provider belongs to one user', async (t) => {
        const { users, written } = await empty();
        const identity = 'https://id.example.com|ada';
        const owner = { ...person(), identity_2: identity };
        const other = person('eve@example.com');
        await users.insert(owner);
        await users.insert(other);
        t.same(await users.findByIdentity('identity_2', identity), owner);
        t.equal(await users.findByIdentity('identity_1', identity), undefined);
        t.equal(await users.findByIdentity('identity_2', `${identity}\0`), undefined);
        const third = { ...person('grace@example.com'), identity_2: identity };
        await fails(t, users.insert(third), IdentityTaken);
        const link = (seen: User) => ({ user: { ...seen, identity_2: identity }, result: 1 });
        await fails(t, users.change(other.id, link), IdentityTaken);
        t.same(await users.findById(other.id), other);
        t.same(written, []);
      });

      for (const nodes of [1, 3])
        t.test(`DAT-02 of fifty changes at once on ${nodes} nodes none is lost`, async (t) => {
          const { users, written, db } = await empty();
          const all = [users, new Users(db, deaf), new Users(db, deaf)].slice(0, nodes);
          const user = person();
          await users.insert(user);
          let decisions = 0;
          const results = await Promise.all(
            Array.from({ length: 50 }, (_, index) =>
              (all[index % nodes] as Users).change(user.id, (seen) => {
                decisions += 1;
                const roles = [...seen.roles, `r${index}`];
                return {
                  user: { ...seen, roles, token_version: seen.token_version + 1 },
                  result: roles.length,
                };
              }),
            ),
          );
          const after = await users.findById(user.id);
          t.same(
            [...(after?.roles ?? [])].sort(),
            Array.from({ length: 50 }, (_, index) => `r${index}`).sort(),
          );
          t.match(after, { token_version: 50, row_version: 50 });
          t.same(
            results.map(Number).sort((a, b) => a - b),
            Array.from({ length: 50 }, (_, index) => index + 1),
            'each change saw the ones before it',
          );
          t.equal(written.length, Math.ceil(50 / nodes), 'a node is told of its own changes');
          if (nodes === 1) t.equal(decisions, 50, 'within a node no change loses a race');
          else t.ok(decisions > 50, 'the nodes collided');
        });

      t.test('a change that always loses its race gives up with a fault', async (t) => {
        const { users, db, url, written } = await usersOf(t, engine);
        const user = person();
        await users.insert(user);
        await alwaysFirst(db, url);
        let decisions = 0;
        const attempt = users.change(user.id, (seen) => {
          decisions += 1;
          return { user: { ...seen, name: 'Other' }, result: 1 };
        });
        await fails(t, attempt, StorageFault);
        await t.rejects(attempt, { message: /changed concurrently/ }, 'as start faults expect');
        t.ok(decisions > 1 && decisions < 100, `${decisions} decisions`);
        t.same(await users.findById(user.id), user);
        t.same(written, []);
      });

      t.test('revocations are found from an instant on', async (t) => {
        const { users } = await empty();
        for (const [index, revoked_at] of [null, NOW - 1, NOW, NOW + 1].entries()) {
          await users.insert(person(`u${index}@example.com`, { revoked_at }));
        }
        t.same(
          (await revokedSince(users, NOW)).map(({ revoked_at }) => revoked_at),
          [NOW, NOW + 1],
        );
        t.same(await revokedSince(users, NOW + 2), []);
      });

      t.test('only rows of users deleted before the instant are removed', async (t) => {
        const { users } = await empty();
        const kept = [
          person('a@example.com', { revoked_at: NOW - 1 }),
          person('b@example.com', { revoked_at: NOW - 1, status: 'disabled' }),
          person('c@example.com'),
          withoutPersonalData(person(), NOW),
        ];
        const gone = withoutPersonalData(person(), NOW - 1);
        for (const user of [...kept, gone]) await users.insert(user);
        await users.removeDeleted(NOW);
        t.equal(await users.findById(gone.id), undefined);
        for (const user of kept) t.same(await users.findById(user.id), user);
      });

      t.test(
        'a change can begin with the row that was read, and reads it only if it has changed',
        async (t) => {
          const { users } = await usersOf(t, engine);
          const user = person();
          await users.insert(user);
          const seen: (string | null)[] = [];
          const rename = (name: string) => (row: User) => {
            seen.push(row.name);
            return { user: { ...row, name }, result: name };
          };
          const next = await users.changeRow(user, rename('Ada'));
          t.match(next, { user: { name: 'Ada', row_version: 1 }, result: 'Ada' });
          t.same(next?.user, await users.findById(user.id), 'the row as it now is');
          await users.change(user, rename('Eve'));
          t.same(seen, [user.name, user.name, 'Ada'], 'the stale row was written by nobody');
          const stale = await users.change(user, (row) => ({ user: row, result: row.name }));
          t.equal(stale, 'Eve', 'who writes nothing decides from a row that was just read');
          const refused = users.change(user, (row) => {
            throw new Error(String(row.name));
          });
          await t.rejects(refused, { message: 'Eve' }, 'and so does who refuses');
          t.equal(await users.change(person(), rename('Bo')), undefined);
        },
      );

      t.test('one query finds the user with an address, or else a decoy', async (t) => {
        const { users } = await usersOf(t, engine);
        const user = person();
        await users.insert(user);
        const decoy = decoyId(3);
        const at = (key: string) => users.findByEmailOrDecoy(key, decoy);
        t.match(await at('nobody@example.com'), { id: decoy, row_version: -1 });
        await users.change(decoy, (row) => ({ user: { ...row, updated_at: 1 }, result: true }));
        t.match(await at('nobody@example.com'), { id: decoy, row_version: 0 });
        t.match(await at('\0'), { id: decoy });
        t.same(await at(user.email_key as string), user);
      });

      t.test('a decoy is made when first changed, and is never found as a user', async (t) => {
        const { users } = await usersOf(t, engine);
        const id = decoyId(7);
        t.equal(await users.findById(id), undefined);
        const count = (user: User) => ({
          user: { ...user, throttle: [...user.throttle, bucket] },
          result: user.row_version,
        });
        const bucket = { key: 'k', failures: 1, failed_at: NOW, pending: [] };
        t.equal(await users.change(id, count), -1);
        t.match(await users.findById(id), {
          kind: 'decoy',
          status: 'deleted',
          email_key: null,
          password_hash: null,
          throttle: [bucket],
          row_version: 0,
        });
        await Promise.all(Array.from({ length: 20 }, () => users.change(id, count)));
        t.equal((await users.findById(id))?.throttle.length, 21);
        t.equal(await users.count(), 0);
        for await (const page of users.everyRow(10)) t.same(page, []);
        await users.removeDeleted(Number.MAX_SAFE_INTEGER);
        t.ok(await users.findById(id), 'it is not removed');
        for (const kind of ['person', 'service'] as const)
          t.same(await users.list({ kind, limit: 10 }), []);
        t.same(await revokedSince(users, 0), []);
        t.equal(await users.findOther('nobody', 'admin'), undefined);
      });

      t.test('an unreadable row is a storage fault', async (t) => {
        const { users, db, unreadable } = await empty();
        const user = person();
        await users.insert(user);
        for (const broken of [
          { sessions: '{' },
          { sessions: '[{}]' },
          { sessions: '[]', roles: 'null' },
        ]) {
          await db.updateTable('users').set(broken).execute();
          await fails(t, users.findById(user.id), UnreadableRow);
          await fails(t, users.change(user.id, rename('Other')), UnreadableRow);
          t.match(unreadable.at(-1), `row ${user.id}: `);
        }
      });

      t.test('unknown members that a newer version wrote survive a change', async (t) => {
        const { users, db } = await empty();
        const totp = { secret: 'sealed', last_step: 1, newer: 1 };
        const newer = {
          sessions: [{ ...session, amr: ['pwd'], newer: { deep: true } }],
          throttle: [{ key: 'k', failures: 1, failed_at: NOW, pending: [], newer: [1] }],
          mfa: { totp, challenges: [{ id: 'c', tries: 1, until: NOW, newer: 'x' }], newer: null },
        };
        const user = person();
        await users.insert(user);
        const texts = Object.entries(newer).map(([name, value]) => [name, JSON.stringify(value)]);
        await db.updateTable('users').set(Object.fromEntries(texts)).execute();
        await users.change(user.id, rename('Other'));
        t.match(await users.findById(user.id), { ...newer, name: 'Other' });
        await users.change(user.id, (before) => {
          const { sessions, throttle, mfa } = before;
          const rewritten = { sessions: [...sessions], throttle: [...throttle], mfa: { ...mfa } };
          return { user: { ...before, ...rewritten }, result: undefined };
        });
        t.match(await users.findById(user.id), newer, 'also when their columns are written');
      });

      t.test('revocations are read in pages, each once', async (t) => {
        const { users } = await empty();
        for (const [index, revoked_at] of [NOW, NOW, NOW, NOW, NOW + 1, NOW + 1].entries())
          await users.insert(
            person(`u${index}@example.com`, { revoked_at, access_version: index }),
          );
        for (const limit of [1, 2, 3, 6, 7]) {
          const pages = await Array.fromAsync(users.revokedSince(NOW, limit));
          t.ok(pages.every((page) => page.length <= limit));
          t.same(
            pages
              .flat()
              .map((user) => user.access_version)
              .sort(),
            [0, 1, 2, 3, 4, 5],
          );
        }
      });

      t.test('an unreadable row still has its version, and the others are read', async (t) => {
        const { users, db, unreadable } = await empty();
        const [bad, good, newer] = [
          person('bad@example.com'),
          person('good@example.com'),
          person('newer@example.com'),
        ];
        const revoked = { revoked_at: NOW, access_version: 3 };
        for (const user of [bad, good, newer])
          await users.insert({ ...user, ...revoked, sessions: [{ ...session, amr: [] }] });
        const write = (id: string, sessions: string) =>
          db.updateTable('users').set({ sessions }).where('id', '=', id).execute();
        await write(bad.id, '[{');
        await write(
          newer.id,
          JSON.stringify([{ id: 'session', ended_at: NOW, transport: 'carrier pigeon' }]),
        );
        const found = new Map((await revokedSince(users, NOW)).map((user) => [user.id, user]));
        t.match(found.get(bad.id), { access_version: 3, sessions: [] });
        for (const { id } of [good, newer])
          t.match(found.get(id)?.sessions, [
            { id: 'session', ended_at: NOW + (id === good.id ? 3 : 0) },
          ]);
        t.same(unreadable, [`row ${bad.id}: sessions is not JSON`]);
      });

      t.test('a user who cannot be stored is a storage fault, not a taken address', async (t) => {
        const { users } = await empty();
        const broken = person('ada@example.com', { roles: null as never, kind: null as never });
        await fails(t, users.insert(broken), StorageFault);
        const user = person();
        await users.insert(user);
        await fails(
          t,
          users.change(user.id, (seen) => ({
            user: { ...seen, status: null as never },
            result: 1,
          })),
          StorageFault,
        );
        t.same(await users.findById(user.id), user);
      });

      t.test('every query of a closed database is a storage fault', async (t) => {
        const { users, db } = await usersOf(t, engine);
        await users.tryWriting();
        await db.destroy();
        const asked = [
          () => users.tryWriting(),
          () => users.findById('a'),
          () => users.findByEmail('a'),
          () => users.insert(person()),
          () => users.change('a', rename('Other')),
          () => revokedSince(users, 0),
          () => users.removeDeleted(0),
        ];
        for (const ask of asked) await fails(t, ask(), StorageFault);
      });
    });
  }
});

t.test('on PostgreSQL an insert that always loses its race gives up', async (t) => {
  const { users, db } = await usersOf(t, server);
  await sql`create function rival() returns trigger language plpgsql as 'begin raise exception using errcode = ''40001''; end'`.execute(
    db,
  );
  await sql`create trigger rival before insert on users for each row execute function rival()`.execute(
    db,
  );
  await fails(t, users.insert(person()), StorageFault);
});

t.test('on a PostgreSQL with serializable transactions', async (t) => {
  const serialisable = async (t: Test) => {
    const { url } = await usersOf(t, server);
    const options = encodeURIComponent('-c default_transaction_isolation=serializable');
    const db = opened(t, `${url}?options=${options}`, { pool: 20 });
    const level = await sql<{
      level: string;
    }>`select current_setting('transaction_isolation') as level`.execute(db);
    t.equal(level.rows[0]?.level, 'serializable');
    return { url, db, users: new Users(db, deaf) };
  };

  t.test('a write refused with 40001 is decided again', async (t) => {
    const { url, users } = await serialisable(t);
    const user = person();
    await users.insert(user);
    const rival = await server.connect(url);
    t.teardown(() => rival.end());
    await rival.query('begin');
    await rival.query('update users set name = $1 where id = $2', ['Rival', user.id]);
    const seen: (string | null)[] = [];
    const change = users.change(user.id, (before) => {
      seen.push(before.name);
      return { user: { ...before, roles: ['editor'] }, result: 'done' };
    });
    const observer = await server.connect(url);
    t.teardown(() => observer.end());
    for (;;) {
      const { rowCount } = await observer.query('select 1 from pg_locks where not granted');
      if (rowCount !== 0) break;
    }
    await rival.query('commit');
    t.equal(await change, 'done');
    // The rival did not change the row version, so only 40001 can have caused the second decision.
    t.same(seen, ['Ada', 'Rival']);
    t.match(await users.findById(user.id), { name: 'Rival', roles: ['editor'], row_version: 1 });
  });

  t.test('eight nodes that make one decoy at once lose nothing', async (t) => {
    const { users, db } = await serialisable(t);
    const id = decoyId(1_023);
    const nodes = Array.from({ length: 8 }, () => new Users(db, { wrote() {}, unreadable() {} }));
    await Promise.all(
      nodes.map((node, index) =>
        node.change(id, (user) => ({
          user: {
            ...user,
            throttle: [
              ...user.throttle,
              { key: `k${index}`, failures: 0, failed_at: 0, pending: [] },
            ],
          },
          result: true,
        })),
      ),
    );
    t.equal((await users.findById(id))?.throttle.length, 8);
  });

  t.test('DAT-02 of fifty changes at once none is lost', async (t) => {
    const { users } = await serialisable(t);
    const user = person();
    await users.insert(user);
    await Promise.all(
      Array.from({ length: 50 }, () =>
        users.change(user.id, (seen) => ({
          user: { ...seen, token_version: seen.token_version + 1 },
          result: 1,
        })),
      ),
    );
    t.match(await users.findById(user.id), { token_version: 50 });
  });

  t.test(
    'of twenty inserts of one address one succeeds; different addresses all succeed',
    async (t) => {
      const { users } = await serialisable(t);
      const same = await Promise.allSettled(
        Array.from({ length: 20 }, () => users.insert(person())),
      );
      t.equal(same.filter(({ status }) => status === 'fulfilled').length, 1);
      t.ok(
        same.every(
          (answer) => answer.status === 'fulfilled' || answer.reason instanceof EmailTaken,
        ),
      );
      await Promise.all(
        Array.from({ length: 50 }, (_, index) => users.insert(person(`u${index}@example.com`))),
      );
    },
  );

  t.test(
    'without a server every query is a storage fault, and works again when it is back',
    async (t) => {
      const { users } = await serialisable(t);
      const user = person();
      await users.insert(user);
      await server.stop();
      await fails(t, users.tryWriting(), StorageFault);
      await fails(t, users.findById(user.id), StorageFault);
      await fails(t, users.insert(person('eve@example.com')), StorageFault);
      await fails(t, users.change(user.id, rename('Other')), StorageFault);
      await server.start();
      await users.tryWriting();
      t.same(await users.findById(user.id), user);
      t.equal(await users.change(user.id, rename('Other')), 'Other');
    },
  );
});
