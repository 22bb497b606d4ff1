const TIME = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'long',
  timeStyle: 'short',
  timeZone: 'UTC',
});

/** "26 November 2026 at 08:30 UTC". `instant`: milliseconds. */
export const spokenTime = (instant: number): string => `${TIME.format(instant)} UTC`;

/** An iPhone names a Mac too, and Android names Linux. */
const SYSTEMS: [RegExp, string][] = [
  [/iPhone/, 'an iPhone'],
  [/iPad/, 'an iPad'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Macintosh/, 'a Mac'],
  [/CrOS/, 'a Chromebook'],
  [/Linux/, 'Linux'],
];

/**
 * What to call a client in a letter, from its User-Agent. A closed list: a stranger may have chosen the header, and must not be
 * able to write into a letter of the service.
 */
export function spokenDevice(client: string): string {
  if (!client.startsWith('Mozilla/')) return 'an app';
  const [, system] = SYSTEMS.find(([pattern]) => pattern.test(client)) ?? [];
  const browser = client.includes('Firefox/') ? 'Firefox' : 'a browser';
  return system ? `${browser} on ${system}` : browser;
}
