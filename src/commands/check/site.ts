import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { isIP } from 'node:net';
import { type Answer, type Asked, exchange } from './exchange.ts';
import { OddAnswer } from './odd-answer.ts';

/** Milliseconds. */
const LONGEST_PAUSE = 60_000;
/** Milliseconds that all pauses of a run may take together, without those of generated requests. */
const ALL_PAUSES = 300_000;
/** Milliseconds that each generated request adds: a limit may be as low as ten requests a minute. */
const PAUSE_OF_REQUEST = 6_000;
/** Characters of all answers that are kept. Those of Latchkey have less than a twentieth of it. */
const KEPT = 16 * 1_024 * 1_024;

/** The members of a JSON object; none if the answer is something else. */
export function membersOf({ text }: Answer): Record<string, unknown> {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

/** The code of a problem, with a space before it; empty if there is none. */
export function codeIn(answer: Answer): string {
  const { code } = membersOf(answer);
  return typeof code === 'string' ? ` ${code}` : '';
}

/** The port of a URL, also where it is that of the protocol. */
export const portOf = ({ port, protocol }: URL): number =>
  Number(port) || (protocol === 'https:' ? 443 : 80);

/** Without the brackets of an IPv6 address. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '');

/** The name for TLS. Empty for an address, which cannot be such a name (RFC 6066 section 3). */
export const serverNameOf = (url: URL): string => (isIP(hostOf(url)) === 0 ? hostOf(url) : '');

export interface SiteOptions {
  url: URL;
  /** PEM of a private certification authority. */
  ca: string | undefined;
  /** Wall time in milliseconds. */
  clock: () => number;
  /** Milliseconds that only rise. */
  uptime: () => number;
  sleep: (milliseconds: number) => Promise<unknown>;
  /** How many generated requests will be sent. */
  requests: number;
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
  #pauseLeft: number;

  constructor(options: SiteOptions) {
    const { url } = options;
    this.options = options;
    this.origin = url.origin;
    this.base = url.pathname.replace(/\/$/, '');
    this.url = `${this.origin}${this.base}`;
    this.isHttps = url.protocol === 'https:';
    this.isLocal = /^(localhost|127\.[\d.]+|\[::1\])$/.test(url.hostname);
    this.#agent = this.#newAgent(true);
    this.#pauseLeft = ALL_PAUSES + options.requests * PAUSE_OF_REQUEST;
  }

  #newAgent(keepAlive: boolean): HttpAgent {
    const { url, ca } = this.options;
    // The name for TLS stays that of the URL, whatever the Host header says.
    return this.isHttps
      ? new HttpsAgent({ keepAlive, ...(ca && { ca }), servername: serverNameOf(url) })
      : new HttpAgent({ keepAlive });
  }

  /** Sends a request to a path below the URL, and follows no redirect. Throws OddAnswer. */
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
    if (!asked.isMalformed) this.#keep(answer);
    return answer;
  }

  #keep(answer: Answer): void {
    this.answers.push(answer);
    const length = this.answers.reduce((sum, { text }) => sum + text.length, 0);
    if (length <= KEPT) return;
    this.answers.pop();
    throw new OddAnswer('all answers together are longer than 16 MB');
  }

  /** Waits as long as the deployment asks for, within bounds. Returns false if it has asked for too much by now. */
  async pause(milliseconds: number): Promise<boolean> {
    const pause = Math.max(0, Math.min(milliseconds, LONGEST_PAUSE));
    if (pause > this.#pauseLeft) return false;
    this.#pauseLeft -= pause;
    await this.options.sleep(pause);
    return true;
  }

  /** Asks again when the limit allows it. Refusals of guesses can last longer, and stay. */
  async #later(refusal: Answer, ask: () => Promise<Answer>): Promise<Answer> {
    const seconds = Number(refusal.headers['retry-after']) || 1;
    return (await this.pause(seconds * 1_000)) ? ask() : refusal;
  }

  close(): void {
    this.#agent.destroy();
  }
}
