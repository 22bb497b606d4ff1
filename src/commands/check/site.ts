import { once } from 'node:events';
import { Agent as HttpAgent, type IncomingMessage, request as overHttp } from 'node:http';
import { Agent as HttpsAgent, request as overHttps } from 'node:https';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';

/** Milliseconds until the wait for an answer ends. */
const PATIENCE = 10_000;
/** Milliseconds. */
const LONGEST_PAUSE = 60_000;

export interface Asked {
  method?: string;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  json?: object;
  /** Sent as it is. */
  body?: string;
  /** Malformed on purpose, so a proxy may refuse it itself: not among the answers that are compared. */
  isMalformed?: boolean;
  /** On a new connection, which a load balancer may lead to another node. */
  isApart?: boolean;
}

export interface Answer {
  method: string;
  /** Below the URL of the deployment, without the query. */
  path: string;
  status: number;
  /** Repeated fields are joined, as a browser does. */
  headers: Record<string, string | undefined>;
  cookies: string[];
  text: string;
  /** How long it took. */
  milliseconds: number;
  /** Milliseconds since 1970 on the clock of this machine: the middle of the exchange. */
  at: number;
}

/** The members of a JSON object; none if the answer is something else. */
export function membersOf({ text }: Answer): Record<string, unknown> {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

const DECODERS: Record<string, (bytes: Buffer) => Buffer> = {
  gzip: gunzipSync,
  br: brotliDecompressSync,
};

function textOf(bytes: Buffer, coding: string | undefined): string {
  const decode = DECODERS[String(coding)];
  return String(decode === undefined ? bytes : decode(bytes));
}

/** The port of a URL, also where it is that of the protocol. */
export const portOf = ({ port, protocol }: URL): number =>
  Number(port) || (protocol === 'https:' ? 443 : 80);

/** Without the brackets of an IPv6 address. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '');

export interface SiteOptions {
  url: URL;
  /** PEM of a private certification authority. */
  ca: string | undefined;
  /** Wall time in milliseconds. */
  clock: () => number;
  /** Milliseconds that only rise. */
  uptime: () => number;
  sleep: (milliseconds: number) => Promise<unknown>;
}

/** The deployment as its clients see it. Keeps every answer, for the checks that look at all of them. */
export class Site {
  readonly answers: Answer[] = [];
  readonly url: string;
  readonly origin: string;
  /** The path of the URL, without a slash at the end. */
  readonly base: string;
  readonly isHttps: boolean;
  /** On this machine, where nobody listens in between. */
  readonly isLocal: boolean;
  readonly options: SiteOptions;
  readonly #agent: HttpAgent;

  constructor(options: SiteOptions) {
    const { url } = options;
    this.options = options;
    this.origin = url.origin;
    this.base = url.pathname.replace(/\/$/, '');
    this.url = `${this.origin}${this.base}`;
    this.isHttps = url.protocol === 'https:';
    this.isLocal = /^(localhost|127\.[\d.]+|\[::1\])$/.test(url.hostname);
    this.#agent = this.#newAgent(true);
  }

  #newAgent(keepAlive: boolean): HttpAgent {
    const { url, ca } = this.options;
    // The name for TLS stays that of the URL, whatever the Host header says.
    return this.isHttps
      ? new HttpsAgent({ keepAlive, ...(ca && { ca }), servername: hostOf(url) })
      : new HttpAgent({ keepAlive });
  }

  /** Sends a request to a path below the URL, and follows no redirect. Throws if no answer comes. */
  ask(path: string, asked: Asked = {}): Promise<Answer> {
    return this.askAt(`${this.base}${path}`, asked);
  }

  /** The same for a path of the host. */
  async askAt(path: string, asked: Asked = {}): Promise<Answer> {
    const agent = asked.isApart ? this.#newAgent(false) : this.#agent;
    const url = new URL(path, this.origin);
    const ask = () => exchange(url, asked, { agent, ...this.options });
    const first = await ask();
    const answer = first.status === 429 ? await this.#later(first, ask) : first;
    answer.path = answer.path.replace(this.base, '');
    if (!asked.isMalformed) this.answers.push(answer);
    return answer;
  }

  /** Asks again when the limit allows it. Refusals of guesses can last longer, and stay. */
  async #later({ headers }: Answer, ask: () => Promise<Answer>): Promise<Answer> {
    await this.options.sleep(Math.min(Number(headers['retry-after'] ?? 1) * 1_000, LONGEST_PAUSE));
    return ask();
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** One request and its answer. */
export async function exchange(
  url: URL,
  { method = 'GET', headers = {}, json, body = json && JSON.stringify(json) }: Asked,
  { agent, clock, uptime }: Pick<SiteOptions, 'clock' | 'uptime'> & { agent?: HttpAgent },
): Promise<Answer> {
  const [began, start] = [clock(), uptime()];
  const send = url.protocol === 'https:' ? overHttps : overHttp;
  const request = send(url, {
    method,
    ...(agent && { agent }),
    signal: AbortSignal.timeout(PATIENCE),
    headers: {
      'accept-encoding': 'gzip, br',
      'user-agent': 'latchkey-check',
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
      ...headers,
    },
  });
  request.end(body);
  const [incoming] = (await once(request, 'response')) as [IncomingMessage];
  const bytes = Buffer.concat(await Array.fromAsync<Buffer>(incoming));
  const milliseconds = uptime() - start;
  const fields = Object.entries(incoming.headersDistinct).map(([name, values = []]) => [
    name,
    values.join(', '),
  ]);
  return {
    method,
    path: url.pathname,
    status: Number(incoming.statusCode),
    headers: Object.fromEntries(fields),
    cookies: incoming.headers['set-cookie'] ?? [],
    text: textOf(bytes, incoming.headers['content-encoding']),
    milliseconds,
    at: began + milliseconds / 2,
  };
}
