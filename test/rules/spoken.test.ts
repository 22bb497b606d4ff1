import { readFileSync } from 'node:fs';
import t from 'tap';
import { spokenDevice, spokenTime } from '../../src/rules/spoken.ts';
import { NOW } from './samples.ts';

t.test('a time is read in any country', async (t) => {
  t.equal(spokenTime(NOW), '23 November 2026 at 18:00 UTC');
  t.equal(spokenTime(Date.UTC(2027, 0, 2, 3, 4, 59)), '2 January 2027 at 03:04 UTC');
});

t.test('a device is named by words of a closed list', async (t) => {
  for (const [client, name] of [
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on Linux'],
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)', 'a browser on an iPhone'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)', 'a browser on a Mac'],
    ['Mozilla/5.0 (Linux; Android 15)', 'a browser on Android'],
    ['Mozilla/5.0', 'a browser'],
    ['', 'an app'],
    ['Win a prize at https://evil.example', 'an app'],
    ['Mozilla/5.0 Windows: win a prize at https://evil.example', 'a browser on Windows'],
  ] as const)
    t.equal(spokenDevice(client), name, client);
});

t.test('letters and the account page know the same systems', async (t) => {
  const systemsIn = (file: string) =>
    [...readFileSync(file, 'utf8').matchAll(/^ {2}\[(\/\w+\/), '(?:an? )?(\w+)'\],$/gm)].map(
      ([, pattern, name]) => [pattern, name],
    );
  const systems = systemsIn('src/rules/spoken.ts');
  t.equal(systems.length, 7);
  t.same(systemsIn('src/pages/account/device-name.js'), systems);
});
