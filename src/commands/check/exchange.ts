import { once } from 'node:events';
import { type Agent, type IncomingMessage, request as overHttp } from 'node:http';
import { request as overHttps } from 'node:https';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { NoAnswer, OddAnswer, PATIENCE } from './odd-answer.ts';
import type { SiteOptions } from './site.ts';

/** Bytes of one answer, before and after it is decompressed. */
const MOST = 4 * 1_024 * 1_024;
const TOO_LONG = 'the answer is longer than 4 MB';

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

type Decode = (bytes: Buffer, options: { maxOutputLength: number }) => Buffer;

// A map: the name comes from the deployment.
const DECODERS = new Map<string | undefined, Decode>([
  ['gzip', gunzipSync],
  ['br', brotliDecompressSync],
]);

function textOf(bytes: Buffer, coding: string | undefined): string {
  const decode = DECODERS.get(coding);
  if (decode === undefined) return String(bytes);
  try {
    return String(decode(bytes, { maxOutputLength: MOST }));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new OddAnswer(code === 'ERR_BUFFER_TOO_LARGE' ? TOO_LONG : `the answer is no ${coding}`);
  }
}

async function bytesOf(incoming: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of incoming) {
    length += piece.length;
    // Leaving the loop closes the connection.
    if (length > MOST) throw new OddAnswer(TOO_LONG);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** One request and its answer. Throws OddAnswer. */
export async function exchange(
  url: URL,
  { method = 'GET', headers = {}, json, body = json && JSON.stringify(json) }: Asked,
  { agent, clock, uptime }: Pick<SiteOptions, 'clock' | 'uptime'> & { agent?: Agent },
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
  const received = async () => {
    const [incoming] = (await once(request, 'response')) as [IncomingMessage];
    return { incoming, bytes: await bytesOf(incoming) };
  };
  const { incoming, bytes } = await received().catch((error) => {
    throw error instanceof OddAnswer ? error : new NoAnswer(error);
  });
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
