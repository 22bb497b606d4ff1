import { parentPort } from 'node:worker_threads';
import { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { adjacencyGraphs, dictionary as common } from '@zxcvbn-ts/language-common';
import { dictionary as english } from '@zxcvbn-ts/language-en';

export interface StrengthQuestion {
  password: string;
  /** Words that this user's guesser would try first. */
  userInputs: string[];
}

/** Below 10^6 guesses a password is found while it is still being throttled. */
const MIN_SCORE = 2;

/** The work grows faster than the length: a password is looked at in pieces, and one strong piece is enough. */
const PIECE = 24;
/**
 * Of a password only the first 72 characters (three pieces of 24) are judged: who chooses a password chooses the
 * work, and a strong one is told by then. What follows counts for its length, and is hashed like the rest.
 */
const MAX_PIECES = 3;
/** Readings of `$1`, `4@` and the like; with the library's 100 one piece of such takes twenty times as long as a plain one. */
const MAX_SUBSTITUTIONS = 10;

const zxcvbn = new ZxcvbnFactory({
  dictionary: { ...common, ...english },
  graphs: adjacencyGraphs,
  l33tMaxSubstitutions: MAX_SUBSTITUTIONS,
});

/** What repeats is as strong as what is repeated. */
function unrepeated(text: string): string {
  for (let length = 1; length <= text.length / 2; length += 1) {
    const unit = text.slice(0, length);
    if (unit.repeat(Math.ceil(text.length / length)).startsWith(text)) return unit;
  }
  return text;
}

/** What a guesser who knows the userInputs still has to guess: a long address would be cut into pieces that are no words. */
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

/** Answers whoever started the thread. */
export function reply({ password, userInputs }: StrengthQuestion): void {
  parentPort?.postMessage(isStrong(password, userInputs));
}

parentPort?.on('message', reply);
