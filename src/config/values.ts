import { isIP } from 'node:net';
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { faultOfOrigin } from './origin.ts';

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

export const milliseconds = (text: string): number => {
  const unit = text.replace(/^\d+/, '');
  return Number.parseInt(text, 10) * UNITS[unit as keyof typeof UNITS];
};

export const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,10}$/, { error: 'must be a whole number' })
    .transform(Number)
    .refine((value) => value >= min && value <= max, { error: `must be from ${min} to ${max}` });

export const oneOf = <const Word extends string>(words: readonly Word[]) =>
  z.enum(words, { error: `must be one of ${words.join(', ')}` });

/** In milliseconds. */
export const duration = (min: string, max: string) =>
  z
    .string()
    .regex(/^\d{1,7}(ms|s|m|h|d)$/, { error: 'must be a number with a unit: ms, s, m, h or d' })
    .transform(milliseconds)
    .refine((value) => value >= milliseconds(min) && value <= milliseconds(max), {
      error: `must be from ${min} to ${max}`,
    });

/** Entries separated by commas. */
export const list = z.string().transform((text) =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== ''),
);

/** `name=value` pairs with percent-encoded values (OpenTelemetry's environment variables). */
export const headerPairs = list.pipe(
  z.array(
    z
      .string()
      .regex(/^[\w.~-]+ *= *(?:[!-$&-+\--~]|%[2-7][\da-f])*$/i, {
        error: 'must be name=value pairs, separated by commas; percent-encode other characters',
      })
      .transform((pair) => {
        const at = pair.indexOf('=');
        return [pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())] as const;
      }),
  ),
);

export const flag = z
  .enum(['true', 'false', ''], { error: 'must be true or false' })
  .transform((text) => text === 'true');

export const origin = z.string().superRefine((text, { addIssue }) => {
  const fault = faultOfOrigin(text);
  if (fault !== undefined) addIssue(fault);
});

/** A host without a port, as browsers write it. */
export const host = z
  .string()
  .refine((text) => URL.canParse(`https://${text}`) && new URL(`https://${text}`).host === text, {
    error: 'must be a host in lower case, such as example.com, without a scheme, port or path',
  });

/** RFC 8707 section 2: an absolute URI without a fragment. At most 100 characters, because it is in the tokens. */
const resourceUri = z
  .string()
  .max(100, { error: 'must be at most 100 characters long each' })
  .refine(
    (text) => /^[a-z][a-z\d+.-]*:[\w.~:/?[\]@!$&'()*+;=%-]+$/i.test(text) && URL.canParse(text),
    {
      error: 'must be absolute URIs without a fragment, such as https://api.example.com',
    },
  );

export const resourceUris = z.array(resourceUri).max(20, { error: 'must be at most 20 URIs' });

/** A URL that paths are appended to, or that is compared letter by letter. */
export const baseUrl = z
  .string()
  .refine((text) => /^https?:\/\/[^\s?#@*]*[^\s?#@/*]$/.test(text) && URL.canParse(text), {
    error: 'must be an http(s) URL without a user, a query, a fragment or a slash at its end',
    abort: true,
  });

/** The issuer of an outside provider (OpenID Connect Discovery section 3). It may have a slash at its end. */
export const providerIssuer = z
  .string()
  .refine((text) => /^https?:\/\/[^\s?#@*|]+$/.test(text) && URL.canParse(text), {
    error: 'must be an http(s) URL without a user, a query or a fragment',
    abort: true,
  });

/** A base URL whose path, the prefix of every route, has no characters that are special to the router. */
export const issuerUrl = baseUrl.refine(
  (text) => /^[^/]*\/\/[^/]*(\/(?!\.{1,2}(\/|$))[\w.~-]+)*$/.test(text),
  {
    error:
      'must have no path, or one of letters, digits and -._~, such as https://example.com/auth',
  },
);

/** Used in a mail header and on pages: one line, without characters that change the direction of the text around it. */
export const productName = z
  .string()
  .trim()
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]{1,64}$/u, {
    error: 'must have 1 to 64 printable characters',
    abort: true,
  })
  .regex(/[\p{L}\p{N}]/u, { error: 'must have a letter or a digit' });

export const color = z
  .string()
  .regex(/^#([\da-f]{3}|[\da-f]{6})$/i, { error: 'must be a colour such as #3b5bdb' });

/** `count` requests in each `window` milliseconds; undefined: no limit. */
export const rate = z
  .string()
  .regex(/^(off|[1-9]\d{0,6}\/(?:[1-9]\d{0,3})?(s|m|h|d))$/, {
    error: 'must look like 600/1m, or be off',
  })
  .transform((text) => {
    if (text === 'off') return undefined;
    const [count, window] = text.split('/') as [string, string];
    return {
      count: Number(count),
      window: milliseconds(/^\d/.test(window) ? window : `1${window}`),
    };
  });

function isNetwork(text: string): boolean {
  const address = text.replace(/\/\d{1,3}$/, '');
  const bits = text === address ? 1 : Number(text.slice(address.length + 1));
  // A /0 would let every client choose its own address.
  return bits >= 1 && bits <= (isIP(address) === 4 ? 32 : 128) && isIP(address) !== 0;
}

export const network = z
  .string()
  .refine(isNetwork, { error: 'must be an address or a CIDR block' });

/** A number of processes. */
export const workers = z
  .string()
  .regex(/^(auto|[1-9]\d?|1\d\d|2[0-4]\d|25[0-6])$/, {
    error: 'must be auto, or a whole number from 1 to 256',
  })
  .transform((text) => (text === 'auto' ? availableParallelism() : Number(text)));
