import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { pino } from 'pino';
import { EX_UNAVAILABLE, StartFault } from '../start-faults.ts';
import type { Order, Report } from './messages.ts';

/** The pause before the next try after a worker that ended before it was ready (ms), and its maximum: it doubles. */
const PAUSE = 250;
const MAX_PAUSE = 30_000;
/** Tries in a row, while no worker is ready. */
const TRIES = 5;

interface Options {
  count: number;
  log: pino.Logger;
  /** Called with every report of a worker. */
  heard(worker: Worker, report: Report): void;
  /** Called when a worker has ended. */
  ended(worker: Worker): void;
  /** Called when the node cannot go on. */
  fail(fault: StartFault): void;
}

/**
 * When a worker ends, Node forgets the connection that it was just handing to that worker: the client would wait until it
 * gives up. This closes it.
 */
function closeUntakenConnection({ process: child }: Worker): void {
  const send = child.send.bind(child) as (...message: unknown[]) => boolean;
  let handed: { close(): void } | undefined;
  child.send = (...message: unknown[]) => {
    // A message, a handle and more; or a message and a callback.
    if (typeof message[1] === 'object') handed = message[1] as typeof handed;
    return send(...message);
  };
  // It does nothing if the worker had taken the connection, as this process has closed its copy then.
  child.once('exit', () => handed?.close());
}

/** The workers of this node. One that ends is replaced. */
export class Crew {
  readonly #options: Options;
  readonly #living = new Set<Worker>();
  readonly #ready = new Set<Worker>();
  /** Those that are ending after an error, and have been replaced. */
  readonly #replaced = new Set<Worker>();
  /** Resolved when the first worker is ready. */
  readonly #started = Promise.withResolvers<void>();
  #hasStarted = false;
  /** Workers in a row that ended before they were ready. */
  #failures = 0;
  #isEnding = false;
  /** How workers ended badly after they were told to end. */
  readonly #faults: string[] = [];

  constructor(options: Options) {
    this.#options = options;
  }

  /** Those that serve requests. */
  get ready(): Worker[] {
    return [...this.#ready];
  }

  send(worker: Worker, order: Order): void {
    // It may be ending just now.
    worker.send(order, () => {});
  }

  sendAll(order: Order, except?: Worker): void {
    for (const worker of this.#living) if (worker !== except) this.send(worker, order);
  }

  /**
   * Starts the first worker alone, as it creates the tables and the keys; when it is ready, the others. If it cannot
   * start, it says why, and this process ends with the same exit code.
   */
  start(): Promise<void> {
    // The primary process accepts the connections: one that no worker has been given yet survives the end of any.
    cluster.schedulingPolicy = cluster.SCHED_RR;
    cluster.on('message', (worker, report: Report) => this.#heard(worker, report));
    cluster.on('exit', (worker, code, signal) => this.#exited(worker, code, signal));
    this.#fork();
    return this.#started.promise;
  }

  /** Tells every worker to end, and waits. Throws if one did not end as it should. */
  async end(): Promise<void> {
    this.#isEnding = true;
    this.sendAll({ type: 'end' });
    await Promise.all([...this.#living].map((worker) => once(worker, 'exit')));
    if (this.#faults.length > 0) throw new Error(this.#faults.join(', '));
  }

  /** Ends every worker at once. */
  kill(): void {
    for (const worker of this.#living) worker.process.kill('SIGKILL');
  }

  /** A node that is ending starts no more, whatever its workers still report. */
  #fork(): void {
    if (this.#isEnding) return;
    const worker = cluster.fork();
    this.#living.add(worker);
    closeUntakenConnection(worker);
  }

  #heard(worker: Worker, report: Report): void {
    if (report.type === 'ready') this.#nowReady(worker);
    if (report.type === 'failing') {
      this.#replaced.add(worker);
      this.#replace(worker, 'is ending after an error');
    }
    this.#options.heard(worker, report);
  }

  #nowReady(worker: Worker): void {
    this.#ready.add(worker);
    this.#failures = 0;
    this.#options.log.info(`worker ${worker.id} (process ${worker.process.pid}) is ready`);
    if (this.#hasStarted) return;
    this.#hasStarted = true;
    for (let more = 1; more < this.#options.count; more += 1) this.#fork();
    this.#started.resolve();
  }

  #exited(worker: Worker, code: number, signal: string | null): void {
    const how = `ended (${signal === null ? `exit code ${code}` : `signal ${signal}`})`;
    this.#living.delete(worker);
    this.#options.ended(worker);
    const isReplaced = this.#replaced.delete(worker);
    if (this.#isEnding) {
      if (code !== 0) this.#faults.push(`worker ${worker.id} ${how}`);
    } else if (isReplaced)
      this.#options.log.info(`worker ${worker.id} (process ${worker.process.pid}) ${how}`);
    else if (this.#ready.has(worker)) this.#replace(worker, how);
    else if (this.#hasStarted) void this.#tryAgain(worker, how);
    // It has said why.
    else if (signal === null) process.exit(code);
    else this.#options.fail(this.#faultOf(`The first worker ${how} before it was ready.`));
  }

  /** It serves no longer. A node that is ending goes on without it. */
  #replace(worker: Worker, how: string): void {
    this.#ready.delete(worker);
    if (this.#isEnding) return;
    this.#options.log.error(`worker ${worker.id} (process ${worker.process.pid}) ${how}, replaced`);
    this.#fork();
  }

  async #tryAgain(worker: Worker, how: string): Promise<void> {
    this.#failures += 1;
    if (this.#failures >= TRIES && this.#ready.size === 0) {
      const message = `No worker gets ready: the last ${TRIES} ended first. See what they said above.`;
      this.#options.fail(this.#faultOf(message));
      return;
    }
    const pause = Math.min(MAX_PAUSE, PAUSE * 2 ** (this.#failures - 1));
    this.#options.log.error(
      `worker ${worker.id} (process ${worker.process.pid}) ${how} before it was ready, next try in ${pause / 1_000} s`,
    );
    await sleep(pause);
    this.#fork();
  }

  #faultOf = (message: string) => new StartFault({ message, exitCode: EX_UNAVAILABLE }, undefined);
}
