import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type RequestListener, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import { folder } from './databases.ts';
import { freePort } from './free-port.ts';

/** Debian has it where only root looks. */
const ENV = { PATH: `${process.env['PATH']}:/usr/sbin` };

export const isInstalled = (): Promise<boolean> =>
  promisify(execFile)('nginx', ['-v'], { env: ENV }).then(
    () => true,
    () => false,
  );

interface Recipe {
  /** The port of the service. */
  latchkey: number;
  inHttp: string;
  inServer: string;
  /** Before all blocks. */
  inMain?: string;
  /** Beside nginx.conf: content by name. */
  files?: Record<string, string>;
}

/** The recipe of the page, with other ports. */
const configuration = (
  { latchkey, inHttp, inServer, inMain = '' }: Recipe,
  ports: { own: number; application: number },
) => `
${inMain}
daemon off;
master_process off;
pid nginx.pid;
events {}
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  ${inHttp.replace('127.0.0.1:3000', `127.0.0.1:${latchkey}`)}
  server {
    listen 127.0.0.1:${ports.own};
    ${inServer.replace('127.0.0.1:8080', `127.0.0.1:${ports.application}`)}
  }
}
`;

export async function listening(t: Test, answer: RequestListener): Promise<number> {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  body: string;
}

/** A real nginx in front of an application that notes what it was asked with (`heard`: the raw headers). */
export async function nginx(t: Test, recipe: Recipe) {
  const heard: string[][] = [];
  const application = await listening(t, ({ rawHeaders, url }, response) => {
    heard.push(rawHeaders);
    response.statusCode = url === '/api/broken' ? 500 : 200;
    response.end('the application');
  });
  const own = await freePort();
  const place = folder(t);
  const text = configuration(recipe, { own, application });
  for (const [name, content] of Object.entries({ ...recipe.files, 'nginx.conf': text }))
    writeFileSync(join(place, name), content);
  const server = spawn('nginx', ['-e', 'stderr', '-p', place, '-c', 'nginx.conf'], { env: ENV });
  let said = '';
  server.stderr.on('data', (chunk) => {
    said += chunk;
  });
  t.teardown(async () => {
    if (server.exitCode !== null) return;
    server.kill('SIGTERM');
    await once(server, 'exit');
  });
  const get = (path: string, headers: Record<string, string | string[]> = {}) =>
    new Promise<Answer>((resolve, reject) => {
      request({ port: own, host: '127.0.0.1', path, headers, agent: false }, (answer) => {
        let body = '';
        answer.setEncoding('utf8').on('data', (chunk) => {
          body += chunk;
        });
        const { statusCode: status = 0, headers } = answer;
        answer.on('end', () => resolve({ status, headers, body }));
      })
        .on('error', reject)
        .end();
    });
  for (let waited = 0; ; waited += 20) {
    if (server.exitCode !== null || waited > 10_000) throw new Error(`nginx: ${said}`);
    const up = await get('/').catch(() => undefined);
    if (up !== undefined) break;
    await sleep(20);
  }
  return { get, heard, said: () => said };
}
