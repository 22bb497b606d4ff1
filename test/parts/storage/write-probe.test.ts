import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { StorageFault, writeFaultOf } from '../../../src/parts/storage/faults.ts';
import { WriteProbe } from '../../../src/parts/storage/write-probe.ts';
import { TestClock } from '../../test-app.ts';

/** A probe whose writes the test settles one by one. */
function probeOf() {
  const clock = new TestClock();
  const writes: PromiseWithResolvers<void>[] = [];
  const said: unknown[] = [];
  const write = () => {
    const asked = Promise.withResolvers<void>();
    writes.push(asked);
    return asked.promise;
  };
  const probe = new WriteProbe(write, {
    clock: () => clock.now,
    log: {
      error: ({ err }: { err?: unknown }) => said.push(err),
      info: () => said.push('well'),
    },
  });
  return { clock, writes, said, probe };
}

t.test('there is one write per second for any number of callers', async (t) => {
  const { clock, writes, said, probe } = probeOf();
  const asked = Array.from({ length: 100 }, () => probe.fault());
  t.equal(writes.length, 1);
  writes[0]?.resolve();
  t.same(new Set(await Promise.all(asked)), new Set([undefined]));
  clock.advance(999);
  t.equal(await probe.fault(), undefined);
  t.equal(writes.length, 1);
  clock.advance(1);
  const next = probe.fault();
  writes[1]?.resolve();
  t.equal(await next, undefined);
  t.equal(writes.length, 2);
  t.same(said, [], 'nothing is logged');
});

t.test('a change is logged once, with its cause', async (t) => {
  const { clock, writes, said, probe } = probeOf();
  const fault = new Error('disk full');
  for (const outcome of ['full', 'full', 'well', 'well', 'full']) {
    const asked = probe.fault();
    if (outcome === 'full') writes.at(-1)?.reject(fault);
    else writes.at(-1)?.resolve();
    t.equal(await asked, outcome === 'well' ? undefined : 'unavailable');
    clock.advance(1_000);
  }
  t.same(said, [fault, 'well', fault]);
});

t.test('a write that hangs fails after a second, and is not repeated', async (t) => {
  const { clock, writes, said, probe } = probeOf();
  const alive = setInterval(() => {}, 1_000);
  t.equal(await probe.fault(), 'timeout');
  clearInterval(alive);
  t.match(said, [{ message: 'no answer within 1000 ms' }]);
  clock.advance(60_000);
  t.equal(await probe.fault(), 'timeout', 'at once this time');
  t.equal(writes.length, 1, 'only one write hangs');
  writes[0]?.resolve();
  await sleep(1);
  const next = probe.fault();
  writes[1]?.resolve();
  t.equal(await next, undefined);
  t.match(said, [{ message: 'no answer within 1000 ms' }, 'well']);
});

t.test('after the clock was set back, an old answer is not reused', async (t) => {
  const { clock, writes, probe } = probeOf();
  const first = probe.fault();
  writes[0]?.resolve();
  t.equal(await first, undefined);
  clock.advance(-3_600_000);
  const next = probe.fault();
  writes[1]?.reject(new Error('gone'));
  t.equal(await next, 'unavailable');
});

t.test('the fault has a word for each reason, in the words of both databases', (t) => {
  const faults = {
    read_only: ['25006', 'SQLITE_READONLY', 'SQLITE_READONLY_DBMOVED'],
    disk_full: ['53100', 'SQLITE_FULL', 'ENOSPC'],
    timeout: ['57014', '55P03', 'SQLITE_BUSY', 'ETIMEDOUT'],
    unavailable: ['ECONNREFUSED', '57P01', 'SQLITE_IOERR_WRITE', undefined],
  };
  for (const [word, codes] of Object.entries(faults))
    for (const code of codes) {
      const cause = Object.assign(new Error('driver'), { code });
      t.equal(writeFaultOf(new StorageFault('tryWriting', { cause })), word, code ?? 'no code');
    }
  t.end();
});
