import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { Agent, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { selfSigned } from '../self-signed.ts';
import { type Scope, serve } from '../server.ts';

export interface Client {
  answers: number;
  /** Its last answer ended the connection. */
  wasTold: boolean;
  faults: string[];
}

interface Answer {
  status: number | undefined;
  connection: string | undefined;
  body: string;
}

/** Sends a GET request over this agent, or over a connection of its own. */
type Ask = (path: string, options?: RequestOptions) => Promise<Answer>;

/** How to ask a node, in plain text or over TLS. */
function asking(port: string, ca: Buffer | undefined) {
  const send = ca === undefined ? request : tlsRequest;
  const newAgent = () =>
    ca === undefined
      ? new Agent({ keepAlive: true, maxSockets: 1 })
      : new TlsAgent({ keepAlive: true, maxSockets: 1, ca, servername: 'localhost' });
  const askOver =
    (agent: Agent): Ask =>
    async (path, options) => {
      const asked = send({ host: '127.0.0.1', port, path, agent, ...options }).end();
      const [answer] = (await once(asked, 'response')) as [IncomingMessage];
      let body = '';
      for await (const chunk of answer) body += chunk;
      const { statusCode: status, headers } = answer;
      return { status, connection: headers.connection, body };
    };
  /** Over a connection of its own. */
  const ask: Ask = async (path) => {
    const agent = newAgent();
    const answer = await askOver(agent)(path);
    agent.destroy();
    return answer;
  };
  return { newAgent, askOver, ask };
}

interface Habits {
  path: string;
  status: number;
  headers?: Record<string, string>;
  /** The pause before the next request (ms). */
  pause(): number;
  /** Its balancer sends it elsewhere. */
  isOut(): boolean;
}

/** Keeps one connection, and asks again and again until it is told to go, or its balancer says so. */
async function clientOf(
  { newAgent, askOver }: ReturnType<typeof asking>,
  { path, status, headers = {}, pause, isOut }: Habits,
): Promise<Client> {
  const agent = newAgent();
  const ask = askOver(agent);
  const client: Client = { answers: 0, wasTold: false, faults: [] };
  while (!client.wasTold && !isOut() && client.faults.length === 0) {
    try {
      const answer = await ask(path, { headers });
      if (answer.status !== status) client.faults.push(`status ${answer.status}`);
      client.answers += 1;
      client.wasTold = answer.connection === 'close';
    } catch (error) {
      client.faults.push(String(error));
    }
    await sleep(pause());
  }
  agent.destroy();
  return client;
}

const withoutToken = { path: '/v1/me', status: 401, pause: () => 20 + Math.random() * 60 };

/** A service that waits for the next revocation, which does not come. It asks again as soon as it has an answer. */
async function waiting(ask: Ask) {
  const { body } = await ask('/.well-known/revocations');
  const claims = Buffer.from(body.split('.')[1] as string, 'base64url').toString();
  return {
    path: `/.well-known/revocations?since=${JSON.parse(claims).cursor}`,
    status: 200,
    headers: { prefer: 'wait=30' },
    pause: () => 0,
  };
}

/** What a balancer does: it asks, and takes the node out at the first no. */
function balancer(ask: Ask) {
  const health = { isOut: false };
  const asked = (async () => {
    while (!health.isOut) {
      await sleep(100);
      health.isOut = (await ask('/readyz')).status !== 200;
    }
  })();
  return { asked, isOut: () => health.isOut };
}

/**
 * Ends a node while 30 clients use it, half of them behind a balancer, and one waits for revocations. Says what they
 * saw. `cwd`: an empty folder.
 */
export async function endedUnderLoad(
  scope: Scope,
  { cwd, env = {}, tls = false }: { cwd: string; env?: Record<string, string>; tls?: boolean },
) {
  const certificate = tls ? selfSigned() : undefined;
  if (certificate !== undefined) {
    writeFileSync(join(cwd, 'cert.pem'), certificate.cert);
    writeFileSync(join(cwd, 'key.pem'), certificate.key);
  }
  const server = await serve(scope, {
    cwd,
    env: {
      SHUTDOWN_DELAY: '2s',
      ...env,
      ...(tls && { TLS_CERT: 'cert.pem', TLS_KEY: 'key.pem' }),
    },
  });
  const way = asking(server.port, certificate?.cert);
  if (env['WORKERS'] !== undefined) await server.line(/worker 2 .* is ready/);
  const { asked, isOut } = balancer(way.ask);
  const never = () => false;
  const behind = Array.from({ length: 15 }, () => clientOf(way, { ...withoutToken, isOut }));
  const direct = Array.from({ length: 15 }, () => clientOf(way, { ...withoutToken, isOut: never }));
  const longPoll = clientOf(way, { ...(await waiting(way.ask)), isOut: never });
  await sleep(500);
  server.child.kill('SIGTERM');
  await server.line(/SIGTERM: shutting down/);
  const strangers = [await way.ask('/readyz'), await way.ask('/livez')];
  await asked;
  return {
    strangers,
    behind: await Promise.all(behind),
    direct: await Promise.all(direct),
    longPoll: await longPoll,
    ended: await server.ended,
  };
}
