import { limits } from '../rules/samples.ts';
import type { Answer } from './issuer.ts';

/** Of a whole run. */
export interface Figures {
  refreshes: number;
  sessions: number;
  /** Sessions that ended although no thief had used a token. */
  falseSignOuts: number;
  /** Sessions of which a thief used a token. */
  thefts: number;
  /** How long these went on after the thief's first use (ms). */
  detectedAfter: number[];
  /** Sessions in which a thief went on, 30 s after the owner had refreshed. */
  undetected: number;
  /** The last messages of the first session that ended although no thief had used a token. */
  trace: string[];
  /** Sign-ins that a failover lost. No policy can keep them. */
  lostSignIns: number;
}

export const noFigures = (): Figures => ({
  refreshes: 0,
  sessions: 0,
  falseSignOuts: 0,
  thefts: 0,
  detectedAfter: [],
  undetected: 0,
  trace: [],
  lostSignIns: 0,
});

/** Knows of one session what no server knows: who sent what. */
export class Watch {
  isOver = false;
  readonly since: number;
  readonly #figures: Figures;
  #firstUse: number | undefined;
  #lastUse: number | undefined;
  #ownerSince: number | undefined;
  #isUndetected = false;
  #lines: { at: number; line: string }[] = [];

  constructor(figures: Figures, now: number) {
    this.#figures = figures;
    this.since = now;
    figures.sessions += 1;
  }

  /** What happened, if somebody has to find out why the session ended. */
  note(line: string, now: number): void {
    this.#lines = [...this.#lines.slice(-11), { at: now, line }];
  }

  owner({ outcome }: Answer, now: number): void {
    if (this.isOver) return;
    if (outcome === 'refused') this.#end(now);
    const isAfterThief = this.#lastUse !== undefined && now > this.#lastUse + limits.grace;
    if (outcome === 'rotated' && isAfterThief) this.#ownerSince ??= now;
  }

  thief({ outcome }: Answer, now: number): void {
    // Without the key of the session the thief has not got in, and the owner must not be signed out for it.
    if (this.isOver || outcome === 'unproven') return;
    if (this.#firstUse === undefined) this.#figures.thefts += 1;
    this.#firstUse ??= now;
    if (outcome === 'refused') {
      this.#end(now);
      return;
    }
    const isOut = this.#ownerSince !== undefined && now > this.#ownerSince + limits.grace;
    if (isOut && !this.#isUndetected) {
      this.#isUndetected = true;
      this.#figures.undetected += 1;
    }
    this.#lastUse = now;
    this.#ownerSince = undefined;
  }

  /** What the server knew of the thief may be lost. */
  failedOver(now: number): void {
    this.note('failover', now);
    this.#lastUse = undefined;
    this.#ownerSince = undefined;
  }

  #end(now: number): void {
    this.isOver = true;
    if (this.#firstUse === undefined) {
      this.#figures.falseSignOuts += 1;
      if (this.#figures.trace.length > 0) return;
      const [first] = this.#lines;
      this.#figures.trace = this.#lines.map(
        ({ at, line }) => `${((at - (first?.at ?? at)) / 1_000).toFixed(3)} s  ${line}`,
      );
    } else this.#figures.detectedAfter.push(now - this.#firstUse);
  }
}
