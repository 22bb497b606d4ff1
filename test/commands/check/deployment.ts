import { once } from 'node:events';
import {
  createServer as createHttp,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';
import { TestClock, testApp } from '../../test-app.ts';

/** An answer on its way back. */
export interface Passing {
  method: string;
  url: string;
  /** Of the request. */
  asked: IncomingHttpHeaders;
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

/** What a misconfigured proxy does. */
export interface Fault {
  /** Changes the headers that go on. */
  there?: (headers: IncomingHttpHeaders, from: IncomingHttpHeaders) => void;
  /** Changes the answer. `lost`: the connection ends without one. */
  back?: (passing: Passing) => unknown;
}

interface ProxyOptions {
  tls?: { cert: Buffer; key: Buffer };
  maxHeaderSize?: number;
}

/** A proxy as it should be, and with the `fault` that is planted. */
export async function proxy(t: Test, { tls, maxHeaderSize }: ProxyOptions = {}) {
  const it = { origin: '', target: '', fault: {} as Fault };
  async function pass(incoming: IncomingMessage, outgoing: ServerResponse) {
    const { method = 'GET', url = '/', headers: asked } = incoming;
    const headers: IncomingHttpHeaders = {
      ...asked,
      'x-forwarded-for': incoming.socket.remoteAddress,
      'x-forwarded-proto': tls ? 'https' : 'http',
    };
    it.fault.there?.(headers, asked);
    const body = Buffer.concat(await Array.fromAsync<Buffer>(incoming));
    const onward = request(new URL(url, it.target), { method, headers, agent: false });
    onward.end(body);
    const [answer] = (await once(onward, 'response')) as [IncomingMessage];
    const passing: Passing = {
      method,
      url,
      asked,
      status: Number(answer.statusCode),
      headers: { ...answer.headers },
      body: Buffer.concat(await Array.fromAsync<Buffer>(answer)),
    };
    const before = passing.body;
    if (it.fault.back?.(passing) === 'lost') {
      outgoing.destroy();
      return;
    }
    if (passing.body !== before) passing.headers['content-length'] = String(passing.body.length);
    outgoing.sendDate = false;
    for (const [name, value] of Object.entries(passing.headers))
      if (value !== undefined) outgoing.setHeader(name, value);
    outgoing.writeHead(passing.status).end(passing.body);
  }
  const listener = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    pass(incoming, outgoing).catch(() => outgoing.destroy());
  };
  const size = maxHeaderSize === undefined ? {} : { maxHeaderSize };
  const server = tls ? createHttps({ ...tls, ...size }, listener) : createHttp(size, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  it.origin = `${tls ? 'https' : 'http'}://localhost:${(server.address() as AddressInfo).port}`;
  return it;
}

export type Proxy = Awaited<ReturnType<typeof proxy>>;

/** The time of this machine, unless it is set. */
class RealClock extends TestClock {
  constructor() {
    super();
    let ahead = 0;
    Object.defineProperties(this, {
      now: {
        get: () => Date.now() + ahead,
        set: (now: number) => {
          ahead = now - Date.now();
        },
      },
      uptime: { get: () => performance.now(), set: () => {} },
    });
  }
}

/** The real service behind a proxy, with limits and a list of origins. */
export async function deployed(t: Test, front: Proxy, env: Record<string, string> = {}) {
  const app = await testApp(t, {
    clock: new RealClock(),
    env: {
      ISSUER: front.origin,
      TRUST_PROXY: '127.0.0.1',
      RATE_LIMIT: '100000/1m',
      AUTH_RATE_LIMIT: '10000/1m',
      CORS_ORIGINS: 'https://app.example.com',
      ...env,
    },
  });
  const stop = app.context.revocationFeed.follow(500, (error) => t.fail(String(error)));
  t.teardown(stop);
  front.target = await app.app.listen({ host: '127.0.0.1', port: 0 });
  return app;
}

/** Plants a change of the answers to one path. */
export const onPath = (path: string, change: (passing: Passing) => unknown): Fault => ({
  back: (passing) => (passing.url.split('?', 1)[0] === path ? change(passing) : undefined),
});

/** Changes members of a JSON answer. */
export function withMembers(passing: Passing, members: Record<string, unknown>): void {
  passing.body = Buffer.from(JSON.stringify({ ...JSON.parse(String(passing.body)), ...members }));
}
