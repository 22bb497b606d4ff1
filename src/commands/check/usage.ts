import { parseArgs } from 'node:util';
import { asksForHelp } from '../asks-for-help.ts';
import { UsageError } from '../usage-error.ts';

export const checkUsage = (called: string) => `${called} URL [OPTIONS]

Checks a deployment from outside, and says what is wrong and how to mend it. URL is its
ISSUER. Without an account it changes nothing. Exits with 0 if nothing is wrong, 1 if
something is, 64 for a wrong command line, 69 if the deployment cannot be reached.

  --origin ORIGIN     a page that calls the API, such as https://app.example.com; repeatable
  --email EMAIL       sign in with this account, refresh and sign out. The password comes
                      from LATCHKEY_PASSWORD, a prompt or standard input
  --mail EMAIL        have a password reset mailed to this address
  --plain-http URL    where plain http would answer; port 80 of the host if URL has no port
  --ca FILE           PEM of a private certification authority
  --fuzz              also send generated requests, valid and hostile
  --requests N        how many; 500 if not said
  --seed N            repeats the requests of an earlier run
  --json              one JSON object on standard output
  --help              show this
`;

export interface Options {
  url: URL;
  origins: string[];
  email: string | undefined;
  mail: string | undefined;
  plainHttp: URL | undefined;
  /** A file name. */
  ca: string | undefined;
  /** How many requests to generate; 0: none. */
  requests: number;
  seed: number | undefined;
  isJson: boolean;
}

const MAX_REQUESTS = 1_000_000;

function parse(args: string[], usage: string) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        origin: { type: 'string', multiple: true, default: [] },
        email: { type: 'string' },
        mail: { type: 'string' },
        'plain-http': { type: 'string' },
        ca: { type: 'string' },
        fuzz: { type: 'boolean', default: false },
        requests: { type: 'string', default: '500' },
        seed: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${usage}`);
  }
}

function webAddress(text: string, what: string): URL {
  if (!URL.canParse(text)) throw new UsageError(`${what} must be a URL, such as https://…`);
  const url = new URL(text);
  if (!/^https?:$/.test(url.protocol)) throw new UsageError(`${what} must be http or https`);
  if (url.username || url.password || url.search || url.hash)
    throw new UsageError(`${what} must have no user, query or fragment`);
  return url;
}

function whole(text: string, what: string, most: number): number {
  if (!/^\d{1,10}$/.test(text) || Number(text) > most)
    throw new UsageError(`${what} must be a whole number up to ${most}`);
  return Number(text);
}

/** Reads the words after `check`. Throws UsageError. */
export function readCheckCommand(args: string[], called: string): Options | { help: string } {
  const usage = checkUsage(called);
  if (asksForHelp(args)) return { help: usage };
  const { positionals, values } = parse(args, usage);
  const [url, ...others] = positionals;
  if (url === undefined || others.length > 0)
    throw new UsageError(`One URL is needed.\n\n${usage}`);
  const { 'plain-http': plainHttp, seed } = values;
  for (const origin of values.origin)
    if (webAddress(origin, '--origin').origin !== origin)
      throw new UsageError(`--origin must be as browsers send it: ${new URL(origin).origin}`);
  const requests = whole(values.requests, '--requests', MAX_REQUESTS);
  return {
    url: webAddress(url, 'URL'),
    origins: values.origin,
    email: values.email,
    mail: values.mail,
    plainHttp: plainHttp === undefined ? undefined : webAddress(plainHttp, '--plain-http'),
    ca: values.ca,
    requests: values.fuzz ? requests : 0,
    seed: seed === undefined ? undefined : whole(seed, '--seed', 0xff_ff_ff_ff),
    isJson: values.json,
  };
}
