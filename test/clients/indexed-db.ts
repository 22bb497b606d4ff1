import type { Test } from 'tap';

interface KeyPair {
  privateKey: { extractable: boolean };
}

type Kept = Map<string, KeyPair>;

/** What `client-dpop.js` uses of IndexedDB, in memory. Fails with `fault`, if there is one. Returns what it keeps, by database. */
export function indexedDb(t: Test, fault?: Error): Map<string, Kept> {
  const databases = new Map<string, Kept>();
  /** One that succeeds or fails in a later task, as those of a browser do. */
  const asked = (
    result: unknown,
    before: (request: Record<string, () => void>) => void = () => {},
  ) => {
    const request = { result, error: fault } as unknown as Record<string, () => void>;
    setImmediate(() => {
      if (fault) return request['onerror']?.();
      before(request);
      request['onsuccess']?.();
    });
    return request;
  };
  const database = (name: string) => ({
    createObjectStore: () => databases.set(name, new Map()),
    transaction: () => ({
      objectStore: () => ({
        get: (key: string) =>
          asked(undefined, (request) => {
            request['result'] = databases.get(name)?.get(key) as never;
          }),
        put: (value: KeyPair, key: string) =>
          asked(undefined, () => databases.get(name)?.set(key, value)),
      }),
    }),
    close: () => {},
  });
  t.intercept(globalThis, 'indexedDB' as never, {
    configurable: true,
    value: {
      open: (name: string) =>
        asked(database(name), (request) => {
          if (!databases.has(name)) request['onupgradeneeded']?.();
        }),
    },
  });
  return databases;
}
