import type { Answer, Issuer, Presented } from './issuer.ts';
import type { Fate } from './network.ts';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';
import { type Figures, Watch } from './watch.ts';

/** Where the clients live. */
export interface World {
  timeline: Timeline;
  issuer: Issuer;
  figures: Figures;
  /** An answer may overtake an earlier one to the same browser. */
  isOvertaking: boolean;
}

/** One sign-in of one client: what it stores, and what it sends. */
export class Session {
  readonly watch: Watch;
  readonly random: Random;
  /** The thumbprint of its key, if it is bound. */
  readonly jkt: string | undefined;
  /** That of the cookie or of the app's store. */
  token: string;
  readonly #world: World;
  readonly #ended: () => void;
  #keys = 0;
  #lastAnswer = 0;
  readonly #tokens: string[] = [];

  constructor(
    world: World,
    own: { token: string; jkt: string | undefined; random: Random; ended: () => void },
  ) {
    this.#world = world;
    this.token = own.token;
    this.jkt = own.jkt;
    this.random = own.random;
    this.#ended = own.ended;
    this.watch = new Watch(world.figures, world.timeline.now);
  }

  get now(): number {
    return this.#world.timeline.now;
  }

  newKey(): string {
    this.#keys += 1;
    return `key ${this.#keys}`;
  }

  /** After `delay` (ms), unless the session is over by then. */
  after(delay: number, happen: () => void | Promise<void>): void {
    this.#world.timeline.after(delay, () => (this.watch.isOver ? undefined : happen()));
  }

  /** The owner sends the stored token. `answered` gets the new one, if the network lets it through. */
  send(idempotencyKey: string, fate: Fate, answered: (token: string) => void): void {
    const { token, jkt } = this;
    for (const [index, { after, node }] of fate.arrivals.entries())
      this.after(after, async () => {
        this.#world.figures.refreshes += 1;
        const answer = await this.#refresh(
          { token, idempotencyKey, node, ...(jkt !== undefined && { jkt }) },
          'owner',
        );
        // A doubled request has one answer.
        if (!('token' in answer) || index > 0 || fate.answer === undefined) return;
        this.after(this.#inTurn(fate.answer), () => answered(answer.token));
      });
  }

  /** Tokens are numbered as they are seen. */
  #number(token: string): number {
    if (!this.#tokens.includes(token)) this.#tokens.push(token);
    return this.#tokens.indexOf(token);
  }

  /** On one connection an answer waits for the earlier ones. */
  #inTurn(delay: number): number {
    if (this.#world.isOvertaking) return delay;
    this.#lastAnswer = Math.max(this.now + delay, this.#lastAnswer);
    return this.#lastAnswer - this.now;
  }

  /** A thief sends a copied token, over a network without faults. */
  steal(token: string): Promise<Answer> {
    const idempotencyKey = `of the thief, ${this.newKey()}`;
    return this.#refresh({ token, idempotencyKey, node: this.random.between(0, 1) }, 'thief');
  }

  async #refresh(presented: Presented, who: 'owner' | 'thief'): Promise<Answer> {
    const answer = await this.#world.issuer.refresh(presented);
    if (this.watch.isOver) return answer;
    const { token, idempotencyKey, node } = presented;
    const said = 'token' in answer ? ` token ${this.#number(answer.token)}` : '';
    const sent = `${who}: token ${this.#number(token)}, ${idempotencyKey}, node ${node}`;
    this.watch.note(`${sent}: ${answer.outcome}${said}`, this.now);
    this.watch[who](answer, this.now);
    if (answer.outcome === 'refused') this.#ended();
    return answer;
  }
}
