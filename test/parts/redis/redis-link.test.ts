import t, { type Test } from 'tap';
import { RedisFault, RedisLink } from '../../../src/parts/redis/redis-link.ts';
import { freePort } from '../../free-port.ts';
import { respServer } from './resp-server.ts';

const ONE = [{ key: 'ada', count: 1, window: 1_000 }];

async function linked(t: Test, url: string): Promise<RedisLink> {
  const link = await RedisLink.open(url);
  t.teardown(() => link.close());
  return link;
}

/** Answers the script so, and everything else with OK. */
const saying = (said: string | undefined) => (command: string[]) =>
  /^eval/i.test(command[0] as string) ? said : '+OK';

t.test('many counts are one command, below the prefix of the service', async (t) => {
  const { url, heard } = await respServer(t, saying('*4\r\n:3\r\n:900\r\n:1\r\n:1000'));
  const link = await linked(t, url);
  const both = [
    { key: 'ada', count: 2, window: 1_000 },
    { key: 'bob', count: 1, window: 1_000 },
  ];
  t.same(await link.add(both), [
    { count: 3, left: 900 },
    { count: 1, left: 1_000 },
  ]);
  const scripts = heard.filter(([name = '']) => /^eval/i.test(name));
  t.same(
    scripts.map((words) => words.slice(2)),
    [['2', 'latchkey:ada', 'latchkey:bob', '2', '1000', '1', '1000']],
  );
});

t.test('the fault is named, and no password is ever in it', async (t) => {
  const cases: [said: string, fault: string][] = [
    ["-OOM command not allowed when used memory > 'maxmemory'.", 'OOM'],
    ["-READONLY You can't write against a read only replica.", 'READONLY'],
    ['-ERR unknown command, with args beginning with: `s3cret`', 'ERR'],
  ];
  for (const [said, fault] of cases) {
    const { port } = await respServer(t, saying(said));
    const link = await linked(t, `redis://:s3cret@127.0.0.1:${port}`);
    await t.rejects(link.add(ONE), new RedisFault(fault));
  }
  const strange = await respServer(t, saying('-no word of Redis: s3cret'));
  await t.rejects((await linked(t, strange.url)).add(ONE), {
    message: 'the connection was lost',
  });
});

t.test('a wrong password is named', async (t) => {
  const { port } = await respServer(t, ([name = '']) =>
    /^auth$/i.test(name)
      ? '-WRONGPASS invalid username-password pair'
      : '-NOAUTH Authentication required.',
  );
  const link = await linked(t, `redis://:s3cret@127.0.0.1:${port}`);
  await t.rejects(link.add(ONE), /^(NOAUTH|WRONGPASS)$/);
});

t.test('nothing that was asked of a connection that ends is kept for later', async (t) => {
  const { url, hangUp, heard } = await respServer(t, saying(undefined));
  const link = await linked(t, url);
  const asked = link.add(ONE);
  while (!heard.some(([name = '']) => /^eval/i.test(name))) await new Promise(setImmediate);
  hangUp();
  await t.rejects(asked, { message: 'the connection was lost' });
});

t.test('where nobody listens it opens all the same, and says why it does not count', async (t) => {
  const link = await linked(t, `redis://127.0.0.1:${await freePort()}`);
  await t.rejects(link.add(ONE), new RedisFault('ECONNREFUSED'));
});
