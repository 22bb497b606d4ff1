import { once } from 'node:events';
import type { Redis } from 'ioredis';

/** Adds `count` to the count of `key`; a new one ends after `window` milliseconds. */
export interface Addition {
  key: string;
  count: number;
  window: number;
}

export interface SharedCount {
  count: number;
  /** Milliseconds until it ends. */
  left: number;
}

/** One command for many counts. A count without an end (Redis was restored from an old file) gets one. */
const ADD = `
local answer = {}
for i, key in ipairs(KEYS) do
  local count = redis.call('INCRBY', key, ARGV[2 * i - 1])
  local left = redis.call('PTTL', key)
  if left < 0 then
    left = tonumber(ARGV[2 * i])
    redis.call('PEXPIRE', key, left)
  end
  answer[2 * i - 1] = count
  answer[2 * i] = left
end
return answer`;

type Add = (keys: number, ...rest: (string | number)[]) => Promise<number[]>;

/** How long the start waits for the first connection (ms). */
const PATIENCE = 1_000;

/** Why Redis did not count, without anything that Redis or the client quotes: an error of theirs can contain the password. */
export class RedisFault extends Error {}

/** A connection to Redis. It connects again by itself, and never keeps a command for later. */
export class RedisLink {
  readonly #redis: Redis;
  #lastFault = 'the connection was lost';

  private constructor(redis: Redis) {
    this.#redis = redis;
    redis.defineCommand('latchkeyAdd', { lua: ADD });
    redis.on('error', (error) => {
      this.#lastFault = this.#nameOf(error);
    });
  }

  /** Waits a second for the connection. Without one it goes on, and tries again. */
  static async open(url: string): Promise<RedisLink> {
    // 65 ms of a start, which only those pay who use it.
    const { Redis } = await import('ioredis');
    const redis = new Redis(url, {
      protocol: 2,
      connectionName: 'latchkey',
      disableClientInfo: true,
      enableReadyCheck: false,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      connectTimeout: 2_000,
      // A connection that died without a word, as behind a firewall.
      socketTimeout: 5_000,
      retryStrategy: () => 500,
    });
    const link = new RedisLink(redis);
    await once(redis, 'ready', { signal: AbortSignal.timeout(PATIENCE) }).catch(() => {});
    return link;
  }

  /** Refuses with RedisFault. */
  async add(additions: Addition[]): Promise<SharedCount[]> {
    const { latchkeyAdd } = this.#redis as unknown as { latchkeyAdd: Add };
    const keys = additions.map(({ key }) => `latchkey:${key}`);
    const rest = additions.flatMap(({ count, window }) => [count, window]);
    try {
      const answer = await latchkeyAdd.call(this.#redis, keys.length, ...keys, ...rest);
      return additions.map((_, index) => ({
        count: answer[2 * index] as number,
        left: answer[2 * index + 1] as number,
      }));
    } catch (error) {
      throw new RedisFault(this.#nameOf(error as Error));
    }
  }

  #nameOf({ code, message }: NodeJS.ErrnoException): string {
    return code ?? /^[A-Z]+(?= )/.exec(message)?.[0] ?? this.#lastFault;
  }

  close(): void {
    this.#redis.disconnect();
  }
}
