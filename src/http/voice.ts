import type { Config } from '../config.ts';
import { basePath } from './base-path.ts';

/** How the service names itself in refusals. */
export interface Voice {
  /** Path of the problem pages. */
  pages: string;
  /** The realm in `WWW-Authenticate`. */
  realm: string;
}

/** The name reduced to ASCII that a quoted-string can contain without escapes (RFC 9110 section 5.6.4). */
const realmOf = (name: string): string =>
  name
    .normalize('NFKD')
    .replaceAll(/[^ -~]|["\\]/g, '')
    .trim();

/** The realm falls back to the host if the product name has no ASCII characters. */
export const voiceOf = (config: Pick<Config, 'ISSUER' | 'PRODUCT_NAME'>): Voice => ({
  pages: `${basePath(config)}/problems`,
  realm: realmOf(config.PRODUCT_NAME) || new URL(config.ISSUER).host,
});
