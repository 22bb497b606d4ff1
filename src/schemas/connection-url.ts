import { z } from 'zod';
import { isFileName } from './file-name.ts';

const isFile = (url: string): boolean => url.startsWith('file:');

/** `postgres://user:password@/name?host=/socket` is common but not a valid URL, which needs a host after the user. */
export const withHost = (url: string): string => url.replace('@/', '@localhost/');

/** The URL of each host: `postgres://a,b/name` means `postgres://a/name`, then `postgres://b/name`. */
export function urlsOfHosts(url: string): string[] {
  const [, before, hosts, after] = /^(\w+:\/\/(?:[^/?@]*@)?)([^/?@]*)(.*)$/s.exec(
    url,
  ) as unknown as [string, string, string, string];
  return hosts.split(',').map((host) => before + host + after);
}

const parse = (url: string): URL => new URL(withHost(url));

/** The URL of the one server. */
const whole = (url: string): string[] => [url];

/** Whether the clients of Redis and PostgreSQL can decode the user and the password: they throw on a `%` that is no escape. */
function hasDecodableUser(url: string): boolean {
  if (isFile(url)) return true;
  const { username, password } = parse(urlsOfHosts(url)[0] as string);
  try {
    decodeURIComponent(`${username}:${password}`);
    return true;
  } catch {
    return false;
  }
}

const undecodable = { error: 'must have % as %25 in its user and password', abort: true };

/**
 * A URL whose parts are unambiguous: in `u:pa#ss@host` the password would end at the `#`. `urlsOf`: the URLs in it, as its
 * client reads them.
 */
const connection = (protocols: RegExp, error: string, urlsOf: typeof urlsOfHosts) =>
  z
    .string()
    .regex(protocols, { error, abort: true })
    .refine((text) => !isFile(text) || isFileName(text.slice('file:'.length)), {
      error: 'must have the name of a file after file:, not its content',
    })
    .refine(
      (text) =>
        isFile(text) ||
        (urlsOf(text).every((url) => URL.canParse(withHost(url))) && !text.includes('#')),
      {
        error:
          'must be a URL; write /, ?, #, @ and % in its password as %2F, %3F, %23, %40 and %25',
        abort: true,
      },
    )
    .refine((text) => isFile(text) || urlsOf(text).every((url) => !parse(url).host.includes(',')), {
      error: 'must name one host',
      abort: true,
    });

const SSL_MODES = ['disable', 'no-verify', 'require', 'verify-ca', 'verify-full'];

/** What the parameters of a PostgreSQL URL may be, and why others are refused. */
type Allowed = (value: string, parameters: URLSearchParams) => boolean;
const PARAMETERS: [name: string, isAllowed: Allowed, error: string][] = [
  [
    'sslmode',
    (mode) => SSL_MODES.includes(mode),
    'must have sslmode=disable, no-verify, require, verify-ca or verify-full: with allow and prefer, an attacker on the network can turn TLS off',
  ],
  ['ssl', () => false, 'must have sslmode=verify-full or sslmode=disable instead of ssl'],
  ['sslrootcert', () => false, 'must not have sslrootcert: name the file in DATABASE_CA'],
  [
    'sslcert',
    (_, parameters) => parameters.has('sslmode') && parameters.has('sslkey'),
    'must have sslmode=verify-full and sslkey with sslcert',
  ],
  [
    'target_session_attrs',
    (value) => ['any', 'read-write', 'primary'].includes(value),
    'must have target_session_attrs=read-write, primary or any: every node writes',
  ],
  [
    'host',
    (host) => !host.includes(','),
    'must list several hosts before the name of the database: postgres://a,b/name',
  ],
];

function faultOfParameters(url: string): string | undefined {
  const { searchParams } = parse(urlsOfHosts(url)[0] as string);
  return PARAMETERS.find(([name, isAllowed]) => {
    const value = searchParams.get(name);
    return value !== null && !isAllowed(value, searchParams);
  })?.[2];
}

const namesEachHost = (url: string): boolean => {
  const urls = urlsOfHosts(url);
  return urls.length === 1 || urls.every((each) => !/^\w+:\/\/([^/?@]*@)?([/?]|$)/.test(each));
};

export const DatabaseUrl = connection(
  /^(file:.+|postgres(ql)?:\/\/.+)$/s,
  'must start with file: or postgres://',
  urlsOfHosts,
)
  .refine(hasDecodableUser, undecodable)
  .superRefine((url, { addIssue }) => {
    if (isFile(url)) return;
    const fault = namesEachHost(url)
      ? faultOfParameters(url)
      : 'must have a host on both sides of each comma';
    if (fault !== undefined) addIssue(fault);
  });

export const MailUrl = connection(
  /^(file:.+|smtps?:\/\/.+)$/s,
  'must start with file:, smtp:// or smtps://',
  whole,
);

/** The `sslmode` of a database; undefined: its URL has none, or it is a file. */
export const sslmodeOf = (url: string): string | undefined =>
  isFile(url)
    ? undefined
    : (parse(urlsOfHosts(url)[0] as string).searchParams.get('sslmode') ?? undefined);

/** Where a server is: the folder of its socket, or its host and port. */
function serverOf(url: string): string {
  const { hostname, port, searchParams } = parse(url);
  const host = searchParams.get('host') ?? (hostname.replaceAll(/%2f/gi, '/') || 'localhost');
  return host.startsWith('/') ? host : `${host}:${port || 5432}`;
}

/** Whether the connection leaves this machine, and its URL does not say whether to encrypt it. */
export const hasOpenLine = (url: string): boolean =>
  sslmodeOf(url) === undefined &&
  urlsOfHosts(url).some((each) => !/^(\/|localhost:|127\.|\[::1\]:)/.test(serverOf(each)));

/** Its query would set any option of the driver. */
export const RedisUrl = connection(
  /^rediss?:\/\/[^?]+$/s,
  'must start with redis:// or rediss://, and have no query',
  whole,
).refine(hasDecodableUser, undecodable);

/** Where the database is, for logs and error messages: without the user and the password. */
export function placeOf(url: string): string {
  if (isFile(url)) return url;
  const urls = urlsOfHosts(url);
  const { pathname } = parse(urls[0] as string);
  return `postgres://${urls.map(serverOf).join()}${pathname}`;
}
