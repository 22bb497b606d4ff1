import { parentPort } from 'node:worker_threads';
import { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { adjacencyGraphs, dictionary as common } from '@zxcvbn-ts/language-common';
import { dictionary as english } from '@zxcvbn-ts/language-en';

export interface StrengthQuestion {
  password: string;
  /** Words that an attacker would try first for this user. */
  userInputs: string[];
}

/** zxcvbn's score from 10^6 guesses on. A weaker password can be found in spite of the throttle. */
const MIN_SCORE = 2;

/** Characters per piece. The work grows faster than the length, so pieces are scored; one strong piece is enough. */
const PIECE = 24;
/**
 * Caps CPU: only the first three pieces (72 characters) are scored. The remaining characters still count for the
 * length, and are hashed.
 */
const MAX_PIECES = 3;
/** Substitutions tried for `$1`, `4@` and the like. The library's 100 make such a piece take twenty times as long. */
const MAX_SUBSTITUTIONS = 10;

const zxcvbn = new ZxcvbnFactory({
  dictionary: { ...common, ...english },
  graphs: adjacencyGraphs,
  l33tMaxSubstitutions: MAX_SUBSTITUTIONS,
});

/** Reduces a repeated text to its unit: repetition adds no strength. */
function unrepeated(text: string): string {
  for (let length = 1; length <= text.length / 2; length += 1) {
    const unit = text.slice(0, length);
    if (unit.repeat(Math.ceil(text.length / length)).startsWith(text)) return unit;
  }
  return text;
}

/** The password without the userInputs. Removed first, because a long address would be split across pieces. */
function essence(password: string, userInputs: string[]): string {
  const words = userInputs.toSorted((a, b) => b.length - a.length);
  const rest = words.reduce(
    (text, word) => text.replaceAll(word.toLowerCase(), ''),
    password.toLowerCase(),
  );
  return unrepeated(rest);
}

export function isStrong(password: string, userInputs: string[]): boolean {
  const points = [...essence(password, userInputs)].slice(0, PIECE * MAX_PIECES);
  for (let from = 0; from < points.length; from += PIECE) {
    const piece = points.slice(from, from + PIECE).join('');
    if (zxcvbn.check(piece, userInputs).score >= MIN_SCORE) return true;
  }
  return false;
}

/** Posts the answer to the thread's parent. */
export function reply({ password, userInputs }: StrengthQuestion): void {
  parentPort?.postMessage(isStrong(password, userInputs));
}

parentPort?.on('message', reply);
