import t from 'tap';
import { kindOfFault, LostRace } from '../../../src/parts/storage/faults.ts';

t.test('the kinds of failure are told apart, in both databases', async (t) => {
  const withCode = (code: string) => Object.assign(new Error(code), { code });
  const cases: [error: unknown, kind: string][] = [
    [withCode('57014'), 'timeout'],
    [withCode('SQLITE_BUSY'), 'timeout'],
    [withCode('40001'), 'lost_race'],
    [new LostRace(), 'lost_race'],
    [withCode('25006'), 'read_only'],
    [withCode('SQLITE_FULL'), 'disk_full'],
    [withCode('ECONNREFUSED'), 'unreachable'],
    [withCode('ENETUNREACH'), 'unreachable'],
    [withCode('EAI_AGAIN'), 'unreachable'],
    [withCode('57P03'), 'unreachable'],
    [new Error('Connection terminated unexpectedly'), 'unreachable'],
    [new Error('timeout exceeded when trying to connect'), 'unreachable'],
    [withCode('42P01'), 'other'],
    [{}, 'other'],
  ];
  for (const [error, kind] of cases) t.equal(kindOfFault(error), kind, String(error));
});
