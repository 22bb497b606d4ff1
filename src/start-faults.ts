/** Exit code (sysexits.h): a dependency is unavailable, and a supervisor should restart the process. */
export const EX_UNAVAILABLE = 69;
/** Exit code (sysexits.h): a bug. */
export const EX_SOFTWARE = 70;
/** Exit code (sysexits.h): only the operator can fix this. */
export const EX_CONFIG = 78;

export interface Explanation {
  /** Tells the operator what is wrong and what to do. Never contains a password. */
  message: string;
  exitCode: typeof EX_UNAVAILABLE | typeof EX_CONFIG;
  /** Whether it may pass soon, for example when the database starts at the same time. */
  isPassing?: boolean;
}

/** The service cannot start, for a known reason. */
export class StartFault extends Error {
  readonly exitCode: number;
  readonly isPassing: boolean;

  constructor({ message, exitCode, isPassing = false }: Explanation, cause: unknown) {
    super(message, { cause });
    this.exitCode = exitCode;
    this.isPassing = isPassing;
  }
}

/** Runs `work`. Throws a failure that `explain` recognises as StartFault, any other as it is. */
export async function explained<T>(
  explain: (error: unknown) => Explanation | undefined,
  work: () => T | Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const explanation = explain(error);
    throw explanation === undefined ? error : new StartFault(explanation, error);
  }
}

/** For the faults that stay until the operator has corrected something. */
export const REFUSED = { exitCode: EX_CONFIG } as const;

/** Code and message of an error, or of its cause if it has no code: StorageFault wraps the driver's error. */
export function wordsOf(error: unknown): { code: string; words: string } {
  const { code, message, cause } = error as Error & { code?: string };
  return code === undefined && cause instanceof Error
    ? wordsOf(cause)
    : { code: code ?? '', words: `${code ?? ''} ${message}` };
}

/** `mailFault(url)` explains why mail cannot be written to the folder. */
export const mailFault = (url: string) => (error: unknown) => ({
  ...REFUSED,
  message: `Mail cannot be written to the folder ${url.slice('file:'.length)}. Give this user write access, or name another folder in MAIL_URL. (${wordsOf(error).code})`,
});

/** `breachedFault(path)` explains why the filter file cannot be used. */
export const breachedFault = (path: string) => (error: unknown) => {
  const { code } = wordsOf(error);
  const why = code
    ? `cannot be read. Give this user read access to it, or name another file in BREACHED_PASSWORDS. (${code})`
    : 'is not a whole filter file. Make it again with latchkey breached build.';
  return { ...REFUSED, message: `The file ${path} ${why}` };
};

/** Why there is no client of Redis. Without the words of the error, which may quote the URL with its password. */
export const redisFault = () => ({
  ...REFUSED,
  message: 'The client of Redis cannot use REDIS_URL. Write redis://:PASSWORD@HOST:PORT.',
});

interface Listener {
  variable: 'PORT' | 'METRICS_PORT';
  port: number;
  host: string;
}

/** `listenFault(listener)` explains why a port cannot be opened. */
export const listenFault =
  ({ variable, port, host }: Listener) =>
  (error: unknown) => {
    const { code } = wordsOf(error);
    const messages: Record<string, string> = {
      EADDRINUSE: `Port ${port} of ${host} is in use. Stop the other process, or choose another ${variable}.`,
      EACCES: `This user may not open port ${port}. Choose a ${variable} above 1023, or give the process CAP_NET_BIND_SERVICE.`,
    };
    const message = messages[code] ?? `${host} is not an address of this machine. Correct HOST.`;
    return { ...REFUSED, message: `${message} (${code})` };
  };
