import { monitorEventLoopDelay } from 'node:perf_hooks';

/** What each side says when it listens, and what it answers: `?`, the processor time used; `delay`, the loop's delay. */
export function serving(port: number, more: object = {}): void {
  // The bench has ended, perhaps by an error.
  process.on('disconnect', () => process.exit());
  const delay = monitorEventLoopDelay({ resolution: 5 });
  process.on('message', (question) => {
    if (question === 'delay') {
      // Nanoseconds. The first question starts the measurement.
      process.send?.({ longest: Number.isFinite(delay.max) ? delay.max / 1e6 : 0 });
      delay.enable();
      delay.reset();
    } else process.send?.(process.cpuUsage());
  });
  process.send?.({ port, ...more });
}
