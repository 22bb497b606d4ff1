import { pino } from 'pino';

/** Bytes of lines that may wait for a reader; more are lost. */
const MAX_WAITING = 16_777_216;

/** On a terminal the log is for people. */
const PRETTY = {
  target: 'pino-pretty',
  options: { ignore: 'pid,hostname,reqId,event,ip', singleLine: true },
};

/** Standard output. Where it is closed, or its disk full, lines are lost; the service goes on. */
export function logDestination(isTerminal: boolean): pino.DestinationStream {
  const destination = isTerminal
    ? pino.transport(PRETTY)
    : pino.destination({ dest: 1, sync: false, maxLength: MAX_WAITING });
  const { flushSync } = destination;
  let isFailing = false;
  destination.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (isFailing) return;
    isFailing = true;
    console.error(`The log cannot be written, lines are lost: ${code}`);
    // At the end of the process this would wait for room on the disk, and so for ever.
    destination.flushSync = () => {};
    destination.once('write', () => {
      isFailing = false;
      destination.flushSync = flushSync;
    });
  });
  return destination;
}
