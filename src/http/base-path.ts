import type { Config } from '../config.ts';

/** The prefix of every path: the path of ISSUER without a trailing slash, or an empty string. */
export const basePath = ({ ISSUER }: Pick<Config, 'ISSUER'>): string =>
  new URL(ISSUER).pathname.replace(/\/$/, '');
