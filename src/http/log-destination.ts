import { pino } from 'pino';

/** Bytes of log lines buffered for a slow reader; lines beyond that are dropped. */
const MAX_WAITING = 16_777_216;

/** Lines are written in blocks of this many bytes, or after this many milliseconds. */
const BLOCK = 4_096;
const FLUSH_EVERY = 50;

/**
 * Blocks of one of several workers. A pipe keeps a write of at most 4,096 bytes in one piece (PIPE_BUF of Linux), so a
 * line of one worker is never torn by a line of another.
 */
const SHARED_BLOCK = { minLength: 3_072, maxWrite: 4_096 };

/** Human-readable output, for a terminal. */
const PRETTY = {
  target: 'pino-pretty',
  options: { ignore: 'pid,hostname,reqId,event,ip', singleLine: true },
};

/** Standard output. If it is closed or its disk is full, lines are lost but the service keeps running. */
export function logDestination(
  isTerminal: boolean,
  { isShared = false }: { isShared?: boolean } = {},
): pino.DestinationStream {
  const destination = isTerminal
    ? pino.transport(PRETTY)
    : pino.destination({
        dest: 1,
        sync: false,
        maxLength: MAX_WAITING,
        minLength: BLOCK,
        periodicFlush: FLUSH_EVERY,
        ...(isShared && SHARED_BLOCK),
      });
  const { flushSync } = destination;
  let isFailing = false;
  destination.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (isFailing) return;
    isFailing = true;
    console.error(`Cannot write the log, lines are being lost: ${code}`);
    // At process exit this would wait for disk space, possibly forever.
    destination.flushSync = () => {};
    destination.once('write', () => {
      isFailing = false;
      destination.flushSync = flushSync;
    });
  });
  return destination;
}
