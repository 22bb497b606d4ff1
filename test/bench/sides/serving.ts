/** What each side says when it listens, and what it answers when asked for the processor time that it has used. */
export function serving(port: number, more: object = {}): void {
  process.on('message', () => process.send?.(process.cpuUsage()));
  process.send?.({ port, ...more });
}
