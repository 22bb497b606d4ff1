import { z } from 'zod';
import { isFileName } from './file-name.ts';

const isFile = (url: string): boolean => url.startsWith('file:');

/** `postgres://user:password@/name?host=/socket` is common but not a valid URL, which needs a host after the user. */
const withHost = (url: string): string => url.replace('@/', '@localhost/');

/** A URL whose parts are unambiguous: in `u:pa#ss@host` the password would end at the `#`. */
const connection = (protocols: RegExp, error: string) =>
  z
    .string()
    .regex(protocols, { error, abort: true })
    .refine((text) => !isFile(text) || isFileName(text.slice('file:'.length)), {
      error: 'must have the name of a file after file:, not its content',
    })
    .refine((text) => isFile(text) || (URL.canParse(withHost(text)) && !text.includes('#')), {
      error: 'must be a URL; write /, ?, #, @ and % in its password as %2F, %3F, %23, %40 and %25',
    });

/** The driver takes only one host. It looks up a list of hosts as if it were one name. */
const namesOneHost = (url: string): boolean =>
  isFile(url) || !/^\w+:\/\/([^/?@]*@)?[^/?@]*,[^/?@]*([/?]|$)|[?&]host=[^&]*(,|%2c)/i.test(url);

export const DatabaseUrl = z
  .string()
  .refine(namesOneHost, {
    error: 'must name one host: put a proxy such as HAProxy in front of several, and name that',
    abort: true,
  })
  .pipe(connection(/^(file:.+|postgres(ql)?:\/\/.+)$/s, 'must start with file: or postgres://'));

export const MailUrl = connection(
  /^(file:.+|smtps?:\/\/.+)$/s,
  'must start with file:, smtp:// or smtps://',
);

/** Its query would set any option of the driver. */
export const RedisUrl = connection(
  /^rediss?:\/\/[^?]+$/s,
  'must start with redis:// or rediss://, and have no query',
);

/** Where the database is, for logs and error messages: without the user and the password. */
export function placeOf(url: string): string {
  if (isFile(url)) return url;
  const { hostname, port, pathname, searchParams } = new URL(withHost(url));
  const host = searchParams.get('host') ?? (hostname.replaceAll(/%2f/gi, '/') || 'localhost');
  const server = host.startsWith('/') ? host : `${host}:${port || 5432}`;
  return `postgres://${server}${pathname}`;
}
