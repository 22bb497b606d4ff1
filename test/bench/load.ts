/**
 * The load, in a process of its own: connections that each have one request on its way, as a browser or a proxy has.
 * It writes bytes made once and looks only for the end of each answer, so that it is cheaper than any server it loads.
 * Told by IPC what to send; answers what it counted.
 */
import { connect, type Socket } from 'node:net';

export interface Load {
  port: number;
  connections: number;
  milliseconds: number;
  /** Whole requests, sent in turn. */
  requests: string[];
  /** Instead of these requests: each connection refreshes with its token, and then with the one of the last answer. */
  refreshTokens?: string[];
}

export interface Counted {
  answers: number;
  /** Answers that were not 2xx. */
  refused: number;
  seconds: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
}

const END = '\r\n\r\n';
const LENGTH = /content-length: (\d+)/i;
const NEXT = /"refresh_token":"([^"]+)"/;

function refreshOf(token: string): string {
  const body = `{"refresh_token":"${token}"}`;
  const head = [
    'POST /v1/refresh HTTP/1.1',
    'Host: auth.example.com',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
  ];
  return `${head.join('\r\n')}${END}${body}`;
}

function run({ port, connections, milliseconds, requests, refreshTokens }: Load): Promise<Counted> {
  const bytes = requests.map((text) => Buffer.from(text, 'latin1'));
  const times: number[] = [];
  let next = 0;
  let refused = 0;
  let open = connections;
  const began = performance.now();
  const until = began + milliseconds;

  return new Promise((resolve, reject) => {
    const end = (socket: Socket) => {
      socket.destroy();
      open -= 1;
      if (open > 0) return;
      const sorted = Float64Array.from(times).sort();
      const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? 0;
      const seconds = (performance.now() - began) / 1_000;
      resolve({ answers: times.length, refused, seconds, p50: at(0.5), p99: at(0.99) });
    };
    for (let index = 0; index < connections; index += 1) {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true });
      let sentAt = 0;
      let text = '';
      let token = refreshTokens?.[index];
      const send = () => {
        sentAt = performance.now();
        if (token === undefined) {
          socket.write(bytes[next] as Buffer);
          next = (next + 1) % bytes.length;
        } else socket.write(refreshOf(token), 'latin1');
      };
      socket.on('connect', send);
      socket.on('error', reject);
      socket.on('data', (chunk) => {
        text = text + chunk.toString('latin1');
        const head = text.indexOf(END);
        if (head < 0) return;
        const length = Number(LENGTH.exec(text)?.[1] ?? 0);
        if (text.length < head + END.length + length) return;
        if (text.charCodeAt(9) !== 50) refused += 1;
        if (token !== undefined) token = NEXT.exec(text)?.[1] ?? token;
        text = '';
        const now = performance.now();
        times.push(now - sentAt);
        if (now < until) send();
        else end(socket);
      });
    }
  });
}

process.on('disconnect', () => process.exit());
process.on('message', async (load: Load) => {
  process.send?.(await run(load));
});
