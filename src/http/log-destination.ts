import { pino } from 'pino';
import { LineBlocks } from './line-blocks.ts';

/** Bytes of log lines buffered for a slow reader; lines beyond that are dropped. */
const MAX_WAITING = 16_777_216;

/** Human-readable output, for a terminal. */
const PRETTY = {
  target: 'pino-pretty',
  options: { ignore: 'pid,hostname,reqId,event,ip', singleLine: true },
};

/** Standard output. If it is closed or its disk is full, lines are lost but the service keeps running. */
export function logDestination(isTerminal: boolean): pino.DestinationStream {
  const destination = isTerminal
    ? pino.transport(PRETTY)
    : pino.destination({ dest: 1, sync: false, maxLength: MAX_WAITING });
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
  const blocks = new LineBlocks(destination);
  process.on('exit', () => blocks.flushSync());
  return blocks;
}
