import cluster from 'node:cluster';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { pino } from 'pino';
import { shareOf } from './config/share.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { logDestination } from './http/log-destination.ts';
import { keepTickShape } from './http/tick-shape.ts';
import { KeySetError } from './parts/keys/key-set.ts';
import { runAlone } from './processes/alone.ts';
import { Signals } from './processes/ending.ts';
import { runPrimary } from './processes/primary.ts';
import { runWorker } from './processes/worker.ts';
import { EX_CONFIG, EX_SOFTWARE, StartFault } from './start-faults.ts';

/** Ends the process. A fault that the operator can fix gets a message without stack and an exit code of sysexits.h. */
function refuseToStart(error: unknown): never {
  if (error instanceof StartFault) {
    console.error(error.message);
    process.exit(error.exitCode);
  }
  if (error instanceof ConfigError) console.error(error.message);
  else if (error instanceof KeySetError)
    console.error(`SIGNING_KEYS cannot be used: ${error.message}`);
  else {
    console.error(error);
    process.exit(EX_SOFTWARE);
  }
  process.exit(EX_CONFIG);
}

/** Reads and checks the certificate and its key, before anything is opened. */
function readTls({ TLS_CERT, TLS_KEY }: Config) {
  if (TLS_CERT === undefined || TLS_KEY === undefined) return undefined;
  try {
    const tls = { cert: readFileSync(TLS_CERT), key: readFileSync(TLS_KEY) };
    createSecureContext(tls);
    return tls;
  } catch {
    throw new ConfigError([
      'TLS_CERT and TLS_KEY must be a certificate and its private key, in PEM',
    ]);
  }
}

const logOf = ({ LOG_LEVEL, WORKERS }: Config): pino.Logger =>
  pino({ level: LOG_LEVEL }, logDestination(process.stdout.isTTY, WORKERS > 1));

async function start(): Promise<void> {
  keepTickShape();
  const signals = new Signals();
  const config = readConfig(process.env, { memoryLimit: process.constrainedMemory() });
  const tls = readTls(config);
  const log = logOf(config);
  if (config.WORKERS === 1) await runAlone(config, { log, signals, tls });
  else if (cluster.isPrimary) await runPrimary(config, { log, signals, refuse: refuseToStart });
  else await runWorker(shareOf(config), { log, signals, tls });
}

await start().catch(refuseToStart);
