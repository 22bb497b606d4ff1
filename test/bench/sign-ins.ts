import { median, spread } from './measure.ts';
import type { Bench } from './run.ts';
import { PASSWORD } from './sides/people.ts';
import { startSide, startTask } from './sides.ts';
import { atLeast, type Row } from './table.ts';

/** Hashes at the same time, here and there. */
const HASH_CONCURRENCY = '2';
/** As many people as connections, and each signs in again and again. */
const PEOPLE = 32;

export const signInOf = (email: string): string => {
  const body = JSON.stringify({ email, password: PASSWORD });
  const head = [
    'POST /v1/login HTTP/1.1',
    'Host: auth.example.com',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
};

/** `POST /v1/login` beside the hash alone. */
export async function signIns({ loader, rounds, seconds, progress, say }: Bench): Promise<Row[]> {
  const server = await startSide('latchkey.ts', { PEOPLE: String(PEOPLE), HASH_CONCURRENCY });
  const raw = await startTask<number, number>('raw-argon2.ts', { HASH_CONCURRENCY }, 0);
  const measured: { rate: number; cost: number; hashes: number }[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    progress(`sign-ins: ${round === 0 ? 'warming up' : `round ${round} of ${rounds}`}`);
    const before = await server.processorTime();
    const counted = await loader.load({
      port: server.said.port,
      connections: PEOPLE,
      milliseconds: seconds * 1_000,
      requests: server.said.emails.map(signInOf),
    });
    if (counted.refused > 0)
      throw new Error(`${counted.refused} sign-ins were not answered with 2xx`);
    const cost = ((await server.processorTime()) - before) / counted.answers;
    const hashes = await raw.ask(seconds * 1_000);
    if (round > 0) measured.push({ rate: counted.answers / counted.seconds, cost, hashes });
  }
  await server.stop();
  await raw.stop();
  const of = (part: 'rate' | 'cost' | 'hashes') => median(measured.map((one) => one[part]));
  say(
    `sign-ins: ${of('rate').toFixed(1)} a second, ${(of('cost') / 1_000).toFixed(1)} ms of processor time each; raw argon2: ${of('hashes').toFixed(1)} a second`,
  );
  const ratios = measured.map(({ rate, hashes }) => rate / hashes);
  return [atLeast('sign-ins ÷ raw argon2.verify', median(ratios), 0.95, spread(ratios))];
}
