import { gzipSync } from 'node:zlib';
import { newUserId, randomId } from '../../src/parts/ids.ts';
import { KeyRing } from '../../src/parts/keys/key-ring.ts';
import { readKeySet } from '../../src/parts/keys/key-set.ts';
import { newMasterSecret, newSigningKey } from '../../src/parts/keys/new-keys.ts';
import { RevocationDocument } from '../../src/parts/revocations/revocation-document.ts';
import { RevocationLog } from '../../src/parts/revocations/revocation-log.ts';
import { buildJws } from '../../src/parts/tokens/jws.ts';
import { atMost, type Row } from './table.ts';

const SIZES = [1_000, 30_000, 100_000];
const ISSUER = 'https://auth.example.com';

/** Of the document of revocations: how large it is, and for how long making it holds the event loop up. */
export async function feedSizes(say: (line: string) => void): Promise<Row[]> {
  const set = readKeySet(JSON.stringify({ keys: [newSigningKey('ES256', 0), newMasterSecret(0)] }));
  const keys = await KeyRing.open(set, Date.now(), {
    issuer: ISSUER,
    audience: ISSUER,
    build: buildJws,
  });
  const rows: Row[] = [];
  for (const size of SIZES) {
    const log = new RevocationLog(() => 0);
    // Half are sessions, half are users.
    for (let index = 0; index < size; index += 2) {
      log.add({ sid: randomId() }, Date.now());
      log.add({ sub: newUserId(Date.now()), ver: 1 }, Date.now());
    }
    const document = new RevocationDocument({
      log,
      feed: { age: 0 } as never,
      keys,
      clock: Date.now,
      uptime: () => performance.now(),
    });
    const cursor = log.cursor(Date.now());
    const times: Record<'whole' | 'part', number[]> = { whole: [], part: [] };
    let text = Buffer.alloc(0) as Buffer;
    for (let round = 0; round < 7; round += 1) {
      log.add({ sid: randomId() }, Date.now());
      times.whole.push(
        await heldUp(async () => {
          text = await document.sign(undefined);
        }),
      );
      times.part.push(
        await heldUp(async () => {
          await document.sign(cursor);
        }),
      );
    }
    const [whole, part] = [Math.max(...times.whole.slice(1)), Math.max(...times.part.slice(1))];
    const zipped = gzipSync(text).length;
    say(
      `${size} revocations: ${kilobytes(text.length)}, ${kilobytes(zipped)} compressed; the whole list holds the event loop up for ${whole.toFixed(1)} ms, a part for ${part.toFixed(1)} ms`,
    );
    rows.push(
      atMost(`event loop for the whole list of ${size} revocations`, whole, {
        target: 20,
        unit: 'ms',
      }),
    );
  }
  return rows;
}

const kilobytes = (bytes: number) => `${Math.round(bytes / 1_000)} KB`;

/** Of the thread (ms): what other programs of the machine do does not count. */
const threadTime = () => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
};

/** The longest turn of the event loop while the work is done (ms). */
async function heldUp(work: () => Promise<void>): Promise<number> {
  let longest = 0;
  let last = threadTime();
  let isOver = false;
  const look = () => {
    const now = threadTime();
    longest = Math.max(longest, now - last);
    last = now;
    if (!isOver) setImmediate(look);
  };
  setImmediate(look);
  await new Promise((resolve) => setImmediate(resolve));
  longest = 0;
  await work();
  isOver = true;
  await new Promise((resolve) => setImmediate(resolve));
  return longest;
}
