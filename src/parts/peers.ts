import type { RevokedUser } from '../schemas/user.ts';

/** Requests of a client prefix that a worker has counted. */
export interface Counted {
  key: string;
  count: number;
  /** The end of the window: milliseconds since 1970. */
  ends: number;
}

/** What workers tell each other. It stays on this machine. */
export interface News {
  /** `store`: which limit counted. */
  counts: { store: number; counts: Counted[] };
  /** A letter that strangers can cause. `key` stands for occasion and address; `network` asked for it; `at` in milliseconds. */
  letter: { key: string; network?: string | undefined; at: number };
  /** A row that has revoked something. */
  revoked: RevokedUser;
  /** A DPoP proof that was used, and the second (since 1970) in which it was made. */
  proof: { key: string; second: number };
}
export type Topic = keyof News;
export type Told = { [T in Topic]: { topic: T; news: News[T] } }[Topic];

/** The other workers of this node. They know the same in memory, a few milliseconds later. A node of one process has none. */
export class Peers {
  readonly #post: ((told: Told) => void) | undefined;
  readonly #listeners = new Map<Topic, (news: never) => void>();

  /** `post` passes it on to every other worker. */
  constructor(post?: (told: Told) => void) {
    this.#post = post;
  }

  tell<T extends Topic>(topic: T, news: News[T]): void {
    this.#post?.({ topic, news } as Told);
  }

  hear<T extends Topic>(topic: T, listener: (news: News[T]) => void): void {
    this.#listeners.set(topic, listener);
  }

  /** What another worker told. Before somebody hears it, it is lost: the start then reads it from the database. */
  receive({ topic, news }: Told): void {
    this.#listeners.get(topic)?.(news as never);
  }
}
