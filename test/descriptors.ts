import { closeSync, openSync } from 'node:fs';

/** The lowest file descriptor that is free: it is higher after something was opened and not closed. */
export function nextDescriptor(): number {
  const descriptor = openSync('/dev/null', 'r');
  closeSync(descriptor);
  return descriptor;
}
