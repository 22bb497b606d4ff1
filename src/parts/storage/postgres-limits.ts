import { Socket } from 'node:net';

/** The settings of PostgreSQL that limit time. */
export const LIMITS = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'];

/** The lock timeout is shorter than the statement timeout, so that the log can tell the two apart. */
const LOCK_SHARE = 0.8;

/** How long the server may take to report a cancelled statement (ms) before it counts as gone. */
const ANSWER_WITHIN = 1_000;

/** Time limits of a statement: enforced by PostgreSQL and, if it does not answer, by the socket. */
export class PostgresLimits {
  /** SQL that sets them for a session. */
  readonly settings: string;
  readonly #silence: number;
  /** True while a migration runs; nothing else uses the pool then. */
  areOff = false;

  constructor(timeout: number) {
    const values = [timeout, Math.ceil(timeout * LOCK_SHARE), timeout];
    this.settings = LIMITS.map((name, index) => `set ${name} = ${values[index]}`).join('; ');
    this.#silence = timeout + ANSWER_WITHIN;
  }

  /** Destroys a connection that gets no answer: back in the pool, it would block the next query. */
  socket(): Socket {
    const socket = new Socket();
    socket.setTimeout(this.#silence, () => {
      if (this.areOff) return;
      const error = new Error(`no answer from PostgreSQL for ${this.#silence} ms`);
      socket.destroy(Object.assign(error, { code: 'ETIMEDOUT' }));
    });
    return socket;
  }
}
