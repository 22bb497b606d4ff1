import type { Config } from '../config.ts';

/** What every path of this service begins with: the path of ISSUER, or nothing. Without a slash at its end. */
export const basePath = ({ ISSUER }: Pick<Config, 'ISSUER'>): string =>
  new URL(ISSUER).pathname.replace(/\/$/, '');
