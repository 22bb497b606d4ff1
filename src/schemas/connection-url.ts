import { z } from 'zod';
import { isFileName } from './file-name.ts';

const isFile = (url: string): boolean => url.startsWith('file:');

/** `postgres://user:password@/name?host=/socket` is common, and no URL: where there is a user there must be a host. */
const withHost = (url: string): string => url.replace('@/', '@localhost/');

/** A URL of which no part can be mistaken for another: in `u:pa#ss@host` the password ends at the `#`. */
const connection = (protocols: RegExp, error: string) =>
  z
    .string()
    .regex(protocols, { error, abort: true })
    .refine((text) => !isFile(text) || isFileName(text.slice('file:'.length)), {
      error: 'must have a name after file:, not what is in the file',
    })
    .refine((text) => isFile(text) || (URL.canParse(withHost(text)) && !text.includes('#')), {
      error:
        'must be a URL; in its password /, ?, #, @ and % are written %2F, %3F, %23, %40 and %25',
    });

/** The driver takes one host, and looks up several as if they were one name. */
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

/** Where the database is, for people to read: without its user and password. */
export function placeOf(url: string): string {
  if (isFile(url)) return url;
  const { hostname, port, pathname, searchParams } = new URL(withHost(url));
  const host = searchParams.get('host') ?? (hostname.replaceAll(/%2f/gi, '/') || 'localhost');
  const server = host.startsWith('/') ? host : `${host}:${port || 5432}`;
  return `postgres://${server}${pathname}`;
}
