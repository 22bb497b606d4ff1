import { placeOf } from './schemas/connection-url.ts';

/** Exit codes of sysexits.h. What is needed does not answer: a supervisor starts the process again. */
const EX_UNAVAILABLE = 69;
/** Only the operator can help. */
export const EX_CONFIG = 78;

interface Explanation {
  /** For the operator: what is wrong and what to do. Never a password. */
  message: string;
  exitCode: typeof EX_UNAVAILABLE | typeof EX_CONFIG;
  /** It may be over in a moment, as when everything is started at once. */
  isPassing?: boolean;
}

/** The service cannot start, and it is known why. */
export class StartFault extends Error {
  readonly exitCode: number;
  readonly isPassing: boolean;

  constructor({ message, exitCode, isPassing = false }: Explanation, cause: unknown) {
    super(message, { cause });
    this.exitCode = exitCode;
    this.isPassing = isPassing;
  }
}

/** Does the work. A failure that can be explained is a StartFault. */
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

/** Code and message of an error, or of its cause where it has no code: what the driver said is below what the storage made of it. */
function wordsOf(error: unknown): { code: string; words: string } {
  const { code, message, cause } = error as Error & { code?: string };
  return code === undefined && cause instanceof Error
    ? wordsOf(cause)
    : { code: code ?? '', words: `${code ?? ''} ${message}` };
}

type Answer = Omit<Explanation, 'message'> & { when: RegExp; say: string };

const REFUSED = { exitCode: EX_CONFIG } as const;
const FAILED = { exitCode: EX_UNAVAILABLE } as const;
const AWAY = { exitCode: EX_UNAVAILABLE, isPassing: true } as const;

const NEWER: Answer = {
  ...REFUSED,
  when: /corrupted migrations/,
  say: 'was brought up to date by a newer version of Latchkey. Run that one, or restore a backup.',
};

/** What SQLite and the file system say. The first that fits. */
const SQLITE: Answer[] = [
  NEWER,
  {
    ...REFUSED,
    when: /^SQLITE_NOTADB/,
    say: 'is not a SQLite database. Name another file in DATABASE_URL.',
  },
  {
    ...FAILED,
    when: /^SQLITE_(BUSY|LOCKED)/,
    say: 'is held by another process. End that one, or name another file in DATABASE_URL.',
  },
  {
    ...FAILED,
    when: /^(SQLITE_(FULL|IOERR|CORRUPT)|ENOSPC|EIO)/,
    say: 'cannot be read or written. Look at the disk, and at the room on it.',
  },
  {
    ...REFUSED,
    when: /^(SQLITE_(CANTOPEN|READONLY|PERM|AUTH)|E[A-Z]+ )/,
    say: 'cannot be opened. Let this user read and write it and its folder, or name another file in DATABASE_URL.',
  },
  { ...FAILED, when: /^SQLITE_|changed concurrently/, say: 'does not take this now.' },
];

/** What PostgreSQL (by SQLSTATE), its driver and the network say. The first that fits. */
const POSTGRES: Answer[] = [
  NEWER,
  {
    ...REFUSED,
    when: /^28|client password must be/,
    say: 'does not let its user in. Correct the user and the password in DATABASE_URL, or let that user in from here (pg_hba.conf).',
  },
  {
    ...REFUSED,
    when: /^3D000/,
    say: 'does not exist. Create it, or name another in DATABASE_URL.',
  },
  {
    ...REFUSED,
    when: /^42501/,
    say: 'does not let its user make tables. Let its owner run GRANT CREATE ON SCHEMA public TO that user.',
  },
  {
    ...FAILED,
    when: /^25006/,
    say: 'takes no writes. Name its primary server in DATABASE_URL.',
  },
  {
    ...REFUSED,
    when: /^ERR_|CERT|UNABLE_TO|SSL connections/,
    say: 'cannot be spoken to over TLS. Correct the certificate there, or the sslmode in DATABASE_URL.',
  },
  {
    ...AWAY,
    when: /^(E[A-Z_]+ |08|53300|57P0)|timeout|terminated/,
    say: 'does not answer. Start it, or correct DATABASE_URL.',
  },
  {
    ...FAILED,
    when: /^[0-9A-Z]{5} |changed concurrently/,
    say: 'does not take this now. Its own log says why.',
  },
];

/** `databaseFault(url)` explains why the database cannot be opened, or its tables cannot be made. */
export const databaseFault = (url: string) => (error: unknown) => {
  const { code, words } = wordsOf(error);
  const answers = url.startsWith('file:') ? SQLITE : POSTGRES;
  const answer = answers.find(({ when }) => when.test(words));
  if (answer === undefined) return undefined;
  const { say, when: _, ...rest } = answer;
  return { ...rest, message: `The database ${placeOf(url)} ${say}${code && ` (${code})`}` };
};

/** `mailFault(url)` explains why no mail can be put into a folder. */
export const mailFault = (url: string) => (error: unknown) => ({
  ...REFUSED,
  message: `Mail cannot be written to the folder ${url.slice('file:'.length)}. Let this user write there, or name another in MAIL_URL. (${wordsOf(error).code})`,
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
      EADDRINUSE: `Port ${port} of ${host} is taken. End the other process, or choose another ${variable}.`,
      EACCES: `Port ${port} is not open to this user. Choose a ${variable} above 1023, or give the process the right to it (CAP_NET_BIND_SERVICE).`,
    };
    const message = messages[code] ?? `${host} is no address of this machine. Correct HOST.`;
    return { ...REFUSED, message: `${message} (${code})` };
  };
