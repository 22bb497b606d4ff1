import { KeyRing } from '../../src/parts/keys/key-ring.ts';
import { readKeySet } from '../../src/parts/keys/key-set.ts';
import { newMasterSecret, newSigningKey } from '../../src/parts/keys/new-keys.ts';
import { Revocations } from '../../src/parts/revocations/revocations.ts';
import { AccessTokens } from '../../src/parts/tokens/access-tokens.ts';
import { buildJws } from '../../src/parts/tokens/jws.ts';
import { newPerson } from '../../src/rules/accounts.ts';
import { median } from './measure.ts';
import type { Bench } from './run.ts';
import { atMost, type Row } from './table.ts';

const TOKENS = 2_000;

/** Processor time for a token that was never seen: form, signature, claims. */
export async function firstSight({ rounds, progress }: Bench): Promise<Row[]> {
  const names = { issuer: 'https://auth.example.com', audience: 'https://api.example.com' };
  const set = readKeySet(JSON.stringify({ keys: [newSigningKey('ES256', 0), newMasterSecret(0)] }));
  const keys = await KeyRing.open(set, Date.now(), { ...names, build: buildJws });
  const revocations = new Revocations(() => performance.now());
  const accessTokens = new AccessTokens({ ...names, keys, revocations, clock: Date.now });
  const id = '0192f3a0-0000-7000-8000-000000000001';
  const user = newPerson(
    { id, email: 'ada@example.com', name: null, passwordHash: null },
    Date.now(),
  );
  const costs: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    progress(`a token seen for the first time: round ${round} of ${rounds}`);
    const tokens = Array.from({ length: TOKENS }, (_, index) =>
      accessTokens.issue(user, {
        id: `${round} ${index}`.replace(' ', '-'),
        amr: ['pwd'],
        created_at: Date.now(),
      }),
    );
    const before = process.cpuUsage();
    for (const token of tokens) accessTokens.read(token);
    const { user: own, system } = process.cpuUsage(before);
    if (round > 0) costs.push((own + system) / TOKENS);
  }
  return [atMost('a token seen for the first time', median(costs), { target: 120, unit: 'µs' })];
}
