import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where each process of a test run leaves the codes that it saw; `unseen-codes.ts` reads them all. */
export const SEEN = '.tap/seen-codes';

const codes = new Set<string>();

/** Notes that a route was seen to refuse with a code: `get /v1/me token_missing`. */
export function seen(routeAndCode: string): void {
  if (codes.size === 0)
    process.once('exit', () => {
      mkdirSync(SEEN, { recursive: true });
      writeFileSync(join(SEEN, `${process.pid}.txt`), [...codes].join('\n'));
    });
  codes.add(routeAndCode);
}
