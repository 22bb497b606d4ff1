import type { ClientStorage } from './client.d.ts';

interface Locks {
  request<T>(
    name: string,
    options: { ifAvailable?: boolean },
    work: (lock: unknown) => Promise<T>,
  ): Promise<T>;
}

/** What a browser has, and other platforms lack. */
interface Platform {
  navigator?: { locks?: Locks };
  localStorage?: ClientStorage;
  crypto?: { getRandomValues(bytes: Uint8Array): Uint8Array };
  location?: { href: string };
  BroadcastChannel?: typeof BroadcastChannel;
  addEventListener?(type: string, listener: (event: { persisted?: boolean }) => void): void;
  removeEventListener?(type: string, listener: (event: { persisted?: boolean }) => void): void;
}

export const platform = globalThis as unknown as Platform;

/** For a page that may store nothing. */
const memory = (): ClientStorage => {
  const items = new Map<string, string>();
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => items.set(key, value),
    removeItem: (key) => items.delete(key),
  };
};

export const pageStorage = (): ClientStorage => {
  try {
    // A browser that blocks storage throws here.
    return platform.localStorage ?? memory();
  } catch {
    return memory();
  }
};

/** React Native has no `crypto`. */
const randomBytes = (bytes: Uint8Array): Uint8Array =>
  platform.crypto?.getRandomValues(bytes) ?? bytes.map(() => Math.random() * 256);

/**
 * The key of an attempt. `Math.random` is enough where there is nothing better: the key helps only those who have the
 * refresh token too, and one wrong key after the grace ends the session. Not `randomUUID`: pages without HTTPS lack it.
 */
export const newKey = (): string =>
  Array.from(randomBytes(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );

/**
 * Runs one piece of work at a time over all tabs, or without Web Locks over this page: then the service's refresh table
 * keeps two tabs apart. Tells the work whether it had to wait.
 */
export const oneAtATime = (name: string) => {
  let last: Promise<unknown> = Promise.resolve();
  return async <T>(work: (waited: boolean) => Promise<T>): Promise<T> => {
    const locks = platform.navigator?.locks;
    if (!locks) {
      const turn = last.then(() => work(false));
      last = turn.catch(() => {});
      return turn;
    }
    const done = await locks.request(name, { ifAvailable: true }, async (lock) =>
      lock ? { result: await work(false) } : undefined,
    );
    return done ? done.result : locks.request(name, {}, () => work(true));
  };
};
