/** As in letters (`src/rules/spoken.ts`). An iPhone names a Mac too, and Android names Linux.
 *
 * @type {[RegExp, string][]}
 */
const SYSTEMS = [
  [/iPhone/, 'iPhone'],
  [/iPad/, 'iPad'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Macintosh/, 'Mac'],
  [/CrOS/, 'Chromebook'],
  [/Linux/, 'Linux'],
];

/**
 * What to call the client of a session. Most browsers are named by their system alone: the service keeps 100 characters
 * of what they say, which would make Edge and others a Chrome. What an app says of itself stays as it is.
 *
 * @param {string} client
 */
export function deviceNameOf(client) {
  if (client.trim() === '') return 'Unknown device';
  if (!client.startsWith('Mozilla/')) return client;
  const browser = client.includes('Firefox/') ? 'Firefox' : 'Browser';
  const [, system] = SYSTEMS.find(([pattern]) => pattern.test(client)) ?? [];
  return system ? `${browser} on ${system}` : browser;
}

/** What nearly every browser says, which tells nothing. */
const BOILERPLATE = /Mozilla\/5\.0 |AppleWebKit\/[\d.]+ \(KHTML, like Gecko\) ?|Gecko\/\d+ /g;

/** @param {string} client */
export const withoutBoilerplate = (client) => client.replace(BOILERPLATE, '');
