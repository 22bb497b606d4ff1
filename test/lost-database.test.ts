import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { folder, KILL, type Postgres, postgres } from './databases.ts';
import { type Intermediary, proxy } from './proxy.ts';
import { serve } from './server.ts';
import { PASSWORD } from './test-app.ts';

const until = async (what: () => Promise<boolean> | boolean): Promise<boolean> => {
  for (let waited = 0; waited < 15_000; waited += 50) {
    if (await what()) return true;
    await sleep(50);
  }
  return false;
};

type Server = Awaited<ReturnType<typeof serve>>;

/** A real node, with a proxy in front of its database. */
async function node(t: Test, database: Postgres, env: Record<string, string> = {}) {
  const url = await database.create();
  const between = await proxy(t, url);
  const admin = await database.connect(url);
  t.teardown(() => admin.end());
  const server = await serve(t, {
    cwd: folder(t),
    env: { DATABASE_URL: between.url, DATABASE_TIMEOUT: '1s', ...env },
    isMeasured: true,
  });
  return { url, between, admin, server };
}

const signUp = (server: Server, name: string) =>
  server.tokens('/v1/register', { email: `${name}@example.com`, password: PASSWORD });

const readiness = async (server: Server) => {
  const answer = await fetch(`${server.url}/readyz`);
  return { status: answer.status, body: (await answer.json()) as Record<string, string> };
};
const isReady = async (server: Server) => (await readiness(server)).status === 200;

const database = await postgres(t);

t.test('a database connection lost during a query ends no process and no session', async (t) => {
  const { between, admin, server } = await node(t, database);
  const clients = await Promise.all(
    Array.from({ length: 6 }, (_, index) => signUp(server, `u${index}`)),
  );
  const answers = new Map<number, number>();
  let isOver = false;
  const unforeseen: string[] = [];

  /** Refreshes as a client does: a refresh without an answer is repeated. */
  const refresh = async (index: number) => {
    while (!isOver) {
      const tokens = clients[index] as (typeof clients)[0];
      const { refresh_token } = tokens;
      const answer = await server.post('/v1/refresh', { refresh_token });
      answers.set(answer.status, (answers.get(answer.status) ?? 0) + 1);
      if (answer.ok) clients[index] = (await answer.json()) as typeof tokens;
      else {
        const body = await answer.text();
        if (answer.status !== 503 || answer.headers.get('retry-after') === null)
          unforeseen.push(`${answer.status} ${body}`);
        await sleep(20);
      }
    }
  };
  /** Keeps sending requests that need no database. */
  const ask = async () => {
    while (!isOver) {
      const { access_token } = clients[0] as (typeof clients)[0];
      const { status } = await server.whoami(access_token);
      if (status !== 200) unforeseen.push(`whoami ${status}`);
      await sleep(5);
    }
  };
  const working = Promise.all([ask(), ...clients.map((_, index) => refresh(index))]);

  const ways: [string, (between: Intermediary) => Promise<unknown> | unknown][] = [
    ['pg_terminate_backend', () => admin.query(KILL)],
    ['RST', ({ reset }) => reset()],
    ['FIN', ({ end }) => end()],
    [
      'the answers are lost, then the connections',
      async ({ swallow, reset }) => {
        swallow('answers');
        await sleep(50);
        reset();
        swallow(false);
      },
    ],
    [
      'a restart of the proxy',
      async ({ goAway, comeBack }) => {
        await goAway();
        await sleep(200);
        await comeBack();
      },
    ],
  ];
  for (let round = 0; round < 2; round += 1) {
    for (const [name, lose] of ways) {
      const before = answers.get(200) ?? 0;
      await lose(between);
      const goesOn = () => (answers.get(200) ?? 0) > before + 6 || server.child.exitCode !== null;
      t.ok(await until(goesOn), `${name}: it goes on`);
    }
  }
  isOver = true;
  await working;
  t.equal(server.child.exitCode, null, 'the process is running');
  t.same(unforeseen, [], 'every other answer was 503 with Retry-After');
  t.ok((answers.get(503) ?? 0) > 0, 'some requests were affected');
  for (const { refresh_token } of clients) await server.tokens('/v1/refresh', { refresh_token });
});

t.test('while a row is locked, only its requests fail, and within the time limit', async (t) => {
  const { url, admin, server } = await node(t, database, { DATABASE_POOL: '3' });
  const [locked, other] = [await signUp(server, 'ada'), await signUp(server, 'eve')];
  const rival = await database.connect(url);
  await rival.query('begin');
  await rival.query("select 1 from users where email_key = 'ada@example.com' for update");

  let isOver = false;
  let { refresh_token } = other;
  let others = 0;
  const goOn = async () => {
    while (!isOver) {
      ({ refresh_token } = await server.tokens('/v1/refresh', { refresh_token }));
      others += 1;
      if (!(await isReady(server))) t.fail('ready all the while');
      await sleep(20);
    }
  };
  const going = goOn();
  const began = Date.now();
  // Three times the limit, wave after wave, and longer on a machine that is busy.
  while (Date.now() - began < 3_000 || (others <= 10 && Date.now() - began < 30_000)) {
    const sent = Date.now();
    const answers = await Promise.all(
      Array.from({ length: 30 }, () =>
        server.post('/v1/refresh', { refresh_token: locked.refresh_token }),
      ),
    );
    t.ok(answers.every(({ status, headers }) => status === 503 && headers.has('retry-after')));
    t.ok(Date.now() - sent < 5_000, 'the limit is one second');
  }
  isOver = true;
  await going;
  t.ok(others > 10, `${others} refreshes of another`);

  await rival.query('rollback');
  await rival.end();
  await server.tokens('/v1/refresh', { refresh_token: locked.refresh_token });
  const { rows } = await admin.query(
    "select state, wait_event_type from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'",
  );
  t.same(rows, [], 'no statement is still running');
});

t.test('a database that hangs gets one poll and one probe, which time out', async (t) => {
  const { between, server } = await node(t, database, { DATABASE_POOL: '10' });
  const { access_token, refresh_token } = await signUp(server, 'ada');
  t.equal((await readiness(server)).status, 200);
  between.swallow('everything');
  const asked = Array.from({ length: 20 }, () => readiness(server));
  const began = Date.now();
  const answers = await Promise.all(asked);
  t.ok(Date.now() - began < 4_000, 'an answer does not wait for the database');
  const says = async () => (await readiness(server)).body['database_fault'] === 'timeout';
  t.ok(await until(says));
  t.ok(answers.every(({ status }) => status === 503 || status === 200));
  t.equal((await server.whoami(access_token)).status, 200);
  t.equal((await server.post('/v1/refresh', { refresh_token })).status, 503);
  await sleep(3_000);
  t.ok(between.open() <= 4, `${between.open()} connections hang`);
  between.swallow(false);
  t.ok(await until(() => isReady(server)), 'the node notices when it answers again');
  await server.tokens('/v1/refresh', { refresh_token });
});

t.test('a PostgreSQL server without space is told apart, and loses nothing', async (t) => {
  const { admin, server } = await node(t, database);
  const { access_token, refresh_token } = await signUp(server, 'ada');
  // What the server says when it cannot extend a file: no disk of the test's own is small enough.
  await admin.query(`
    create function full_disk() returns trigger language plpgsql as $$
    begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$;
    create trigger full_disk before insert or update on users execute function full_disk()`);
  const says = async () => (await readiness(server)).body['database_fault'] === 'disk_full';
  t.ok(await until(says));
  t.equal((await readiness(server)).status, 503);
  const refused = await server.post('/v1/refresh', { refresh_token });
  t.equal(refused.status, 503);
  t.ok(refused.headers.has('retry-after'));
  t.equal((await server.whoami(access_token)).status, 200);
  await admin.query('drop trigger full_disk on users');
  t.ok(await until(() => isReady(server)));
  await server.tokens('/v1/refresh', { refresh_token });
});

t.test('a node whose database takes no writes is not ready, and becomes ready again', async (t) => {
  const { admin, server } = await node(t, database);
  const { refresh_token } = await signUp(server, 'ada');
  const { rows } = await admin.query('select current_database() as name');
  const readOnly = async (value: 'on' | 'off') => {
    await admin.query(
      `alter database ${rows[0].name} set default_transaction_read_only = ${value}`,
    );
    await admin.query(KILL);
  };
  await admin.query('set default_transaction_read_only = off');
  await readOnly('on');
  // The probe may meet the connection that was just killed first.
  const says = async () => (await readiness(server)).body['database_fault'] === 'read_only';
  t.ok(await until(says), 'not ready');
  t.same((await readiness(server)).body, {
    status: 'failing',
    database: 'failing',
    database_fault: 'read_only',
    keys: 'ok',
    revocations: 'ok',
  });
  t.equal((await server.post('/v1/refresh', { refresh_token })).status, 503);
  await sleep(2_500);
  const linesWith = (text: string) => server.stdout.filter((line) => line.includes(text));
  const said = linesWith('database: takes no writes');
  // A connection ends a moment after it is killed, and may take one more write meanwhile.
  t.equal(said.length, 1 + linesWith('database: takes writes again').length, 'logged once');
  // The probe met either the connection that was just killed, or the setting.
  t.match(said[0], /read-only transaction|terminat/, 'with the cause');
  await readOnly('off');
  t.ok(await until(() => isReady(server)));
  await server.line(/database: takes writes again/);
  await server.tokens('/v1/refresh', { refresh_token });
});
