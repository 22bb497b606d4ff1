import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectionError, FastifyInstance } from 'fastify';
import type { Config } from '../config.ts';
import { Refusal } from '../rules/refusal.ts';
import type { ProblemCode } from '../schemas/problem.ts';
import { HEADERS } from './headers.ts';
import { problemOf } from './problems.ts';
import { type Voice, voiceOf } from './voice.ts';

const CODES: Record<string, ProblemCode> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/** Milliseconds to read the response: destroying the socket at once could lose it. */
const LINGER = 1_000;

/** Responds and logs on the raw socket: there is no request yet, so no hooks run. */
function answerSocket(
  { log }: FastifyInstance,
  socket: Socket,
  { code, reason, voice }: { code: ProblemCode; reason: string; voice: Voice },
): void {
  const problem = problemOf(new Refusal(code), 'unread', voice);
  log.info(
    { status: problem.status, ip: socket.remoteAddress, code, reason, route: null },
    'request',
  );
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries(HEADERS).map(([name, value]) => `${name}: ${value}`),
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  // A client that never closes its side would keep the socket open forever.
  setTimeout(() => socket.destroy(), LINGER).unref();
}

/** Responds to invalid HTTP and to requests that time out. */
export function answerClientErrors(config: Config) {
  const voice = voiceOf(config);
  return function answer(this: FastifyInstance, error: ConnectionError, socket: Socket): void {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const code = CODES[error.code] ?? 'bad_request';
    answerSocket(this, socket, { code, reason: error.code, voice });
  };
}

/** Refuses CONNECT with 400. Node emits no `request` event for it. */
export function refuseTunnels(app: FastifyInstance, config: Config): void {
  const voice = voiceOf(config);
  app.server.on('connect', (_request, socket: Socket) => {
    // Node passes the socket without an error listener: a client reset would crash the process.
    socket.on('error', () => socket.destroy());
    answerSocket(app, socket, { code: 'bad_request', reason: 'CONNECT', voice });
  });
}
