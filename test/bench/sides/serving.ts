/** What each side says when it listens, and what it answers when asked for the processor time that it has used. */
export function serving(port: number, more: object = {}): void {
  // The bench has ended, perhaps by an error.
  process.on('disconnect', () => process.exit());
  process.on('message', () => process.send?.(process.cpuUsage()));
  process.send?.({ port, ...more });
}
