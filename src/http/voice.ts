import type { Config } from '../config.ts';
import { basePath } from './base-path.ts';

/** How the service names itself where it refuses. */
export interface Voice {
  /** Where the pages of the problem codes are. */
  pages: string;
  /** Of `WWW-Authenticate`. */
  realm: string;
}

/** A name as a quoted-string can have it without escapes, and a header in ASCII (RFC 9110 section 5.6.4). */
const realmOf = (name: string): string =>
  name
    .normalize('NFKD')
    .replaceAll(/[^ -~]|["\\]/g, '')
    .trim();

/** A name with no letter of ASCII leaves the host. */
export const voiceOf = (config: Pick<Config, 'ISSUER' | 'PRODUCT_NAME'>): Voice => ({
  pages: `${basePath(config)}/problems`,
  realm: realmOf(config.PRODUCT_NAME) || new URL(config.ISSUER).host,
});
