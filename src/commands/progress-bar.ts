import { SingleBar } from 'cli-progress';
import type { Terminal } from './terminal.ts';

/** Shows how far a command is, if standard error is a terminal. The process does not end before `stop` is called. */
export function progressBar(stderr: Terminal['stderr']) {
  const bar = new SingleBar({
    format: '{bar} {percentage}% | {eta_formatted} left',
    stream: stderr as NodeJS.WriteStream,
    clearOnComplete: true,
  });
  if (stderr.isTTY) bar.start(1, 0);
  return {
    show(done: number, total: number) {
      bar.setTotal(total);
      bar.update(done);
    },
    stop: () => bar.stop(),
  };
}
