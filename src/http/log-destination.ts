import { pino } from 'pino';
import { LineBlocks } from './line-blocks.ts';

/** Bytes of log lines buffered for a slow reader; lines beyond that are dropped. */
const MAX_WAITING = 16_777_216;

/**
 * Linux keeps a write of this many bytes to a pipe in one piece (PIPE_BUF). So a line of one worker is never torn by a
 * line of another.
 */
const SHARED_BLOCK = 4_096;

/** Human-readable output, for a terminal. */
const PRETTY = {
  target: 'pino-pretty',
  options: { ignore: 'pid,hostname,reqId,event,ip', singleLine: true },
};

/**
 * Standard output. If it is closed or its disk is full, lines are lost but the service keeps running. `isShared`: other
 * processes write there too.
 */
export function logDestination(isTerminal: boolean, isShared = false): pino.DestinationStream {
  const block = isShared ? SHARED_BLOCK : undefined;
  const destination = isTerminal
    ? pino.transport(PRETTY)
    : pino.destination({
        dest: 1,
        sync: false,
        maxLength: MAX_WAITING,
        ...(block && { maxWrite: block }),
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
  if (isTerminal) return destination;
  const blocks = new LineBlocks(destination, block);
  process.on('exit', () => blocks.flushSync());
  return blocks;
}
