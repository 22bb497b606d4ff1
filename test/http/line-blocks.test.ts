import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { LineBlocks } from '../../src/http/line-blocks.ts';

function blocksOf(most?: number) {
  const written: string[] = [];
  let isFlushed = false;
  const blocks = new LineBlocks(
    {
      write: (block) => written.push(block),
      flushSync: () => {
        isFlushed = true;
      },
    },
    most,
  );
  return { blocks, written, isFlushed: () => isFlushed };
}

t.test('log lines are passed on in blocks, in order, and none is lost', async (t) => {
  const { blocks, written } = blocksOf();
  const lines = Array.from(
    { length: 1_000 },
    (_, index) => `{"line":${index},"pad":"${'x'.repeat(100)}"}\n`,
  );
  for (const line of lines) blocks.write(line);
  t.equal(written.length, 1, 'a full block does not wait');
  while (written.join('').length < lines.join('').length) await sleep(10);
  t.equal(written.join(''), lines.join(''));
  t.equal(written.length, 2, 'the rest comes together');
  await sleep(100);
  t.equal(written.length, 2, 'nothing is written when there is nothing to write');
});

t.test('at the end of the process the waiting lines are written at once', async (t) => {
  const { blocks, written, isFlushed } = blocksOf();
  blocks.write('last words\n');
  t.same(written, []);
  blocks.flushSync();
  t.same(written, ['last words\n']);
  t.ok(isFlushed());
  blocks.flushSync();
  t.same(written, ['last words\n']);
});

t.test(
  'a block is never longer than a pipe keeps in one piece, and a line is never cut',
  async (t) => {
    const { blocks, written } = blocksOf(100);
    const lines = ['é'.repeat(30), 'x'.repeat(39), 'y', 'z'.repeat(200), 'end'].map(
      (line) => `${line}\n`,
    );
    for (const line of lines) blocks.write(line);
    blocks.flushSync();
    t.same(written, [lines[0], `${lines[1]}${lines[2]}`, lines[3], lines[4]]);
  },
);
