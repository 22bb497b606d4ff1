import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

/** An answer of the network itself: a proxy's error, a captive portal. `lost`: the connection ends without one. */
export type Interference =
  | { status: number; headers?: Record<string, string>; body?: string }
  | 'lost';

export interface Front {
  origin: string;
  leadsTo(address: string): void;
  /** Called before a request goes on. Delays it, or answers in place of the service. */
  there: (request: IncomingMessage) => Promise<Interference | undefined>;
  /** Called before an answer goes back. Delays it, or loses it. */
  back: (request: IncomingMessage) => Promise<Interference | undefined>;
  /** Every request that arrived here but preflights: method and path. */
  requests: string[];
}

/** An HTTP proxy before the service that the test can delay and break. A request goes on even if its page is gone. */
export async function front(t: Test): Promise<Front> {
  let target = '';
  const pass = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { method = 'GET', url = '/', headers } = incoming;
    if (method !== 'OPTIONS') it.requests.push(`${method} ${url}`);
    const body = Buffer.concat(await Array.fromAsync(incoming));
    const interfere = (how: Interference) => {
      if (how === 'lost') outgoing.destroy();
      else outgoing.writeHead(how.status, how.headers).end(how.body);
    };
    const instead = await it.there(incoming);
    if (instead) return interfere(instead);
    const onward = request(new URL(url, target), { method, headers });
    onward.end(body);
    const [answer] = (await once(onward, 'response')) as [IncomingMessage];
    const content = Buffer.concat(await Array.fromAsync(answer));
    const lost = await it.back(incoming);
    if (lost) return interfere(lost);
    outgoing.writeHead(answer.statusCode ?? 0, answer.headers).end(content);
  };
  const server = createServer((incoming, outgoing) => {
    pass(incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.closeAllConnections());
  t.teardown(() => server.close());
  const it: Front = {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    leadsTo: (address) => {
      target = address;
    },
    there: async () => undefined,
    back: async () => undefined,
    requests: [],
  };
  return it;
}
