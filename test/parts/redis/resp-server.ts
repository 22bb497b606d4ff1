import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Test } from 'tap';

/** The commands in what was received (RESP2 arrays of bulk strings). */
function commandsIn(text: string): string[][] {
  const commands: string[][] = [];
  const lines = text.split('\r\n');
  for (let at = 0; lines[at]?.startsWith('*'); ) {
    const words = Number(lines[at]?.slice(1));
    commands.push(Array.from({ length: words }, (_, word) => lines[at + 2 + 2 * word] ?? ''));
    at += 1 + 2 * words;
  }
  return commands;
}

/**
 * What speaks like a Redis, and answers what the test wants: undefined is no answer. For what a real Redis seldom says;
 * `test/redis.ts` starts a real one.
 */
export async function respServer(t: Test, answer: (command: string[]) => string | undefined) {
  const sockets = new Set<Socket>();
  const heard: string[][] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      for (const command of commandsIn(String(chunk))) {
        heard.push(command);
        const said = answer(command);
        if (said !== undefined) socket.write(`${said}\r\n`);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const hangUp = () => {
    for (const socket of sockets) socket.destroy();
  };
  t.teardown(() => {
    hangUp();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { port, url: `redis://127.0.0.1:${port}`, heard, hangUp };
}
