import { parentPort } from 'node:worker_threads';
import { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { adjacencyGraphs, dictionary as common } from '@zxcvbn-ts/language-common';
import { dictionary as english } from '@zxcvbn-ts/language-en';

export interface StrengthQuestion {
  id: number;
  password: string;
  /** Words that this user's guesser would try first. */
  context: string[];
}

export interface StrengthAnswer {
  id: number;
  isStrong: boolean;
}

/** Below 10^6 guesses a password is found while it is still being throttled. */
const MIN_SCORE = 2;

/** The work grows faster than the length: a password is looked at in pieces, and one strong piece is enough. */
const PIECE = 24;

const zxcvbn = new ZxcvbnFactory({
  dictionary: { ...common, ...english },
  graphs: adjacencyGraphs,
});

/** What repeats is as strong as what is repeated. */
function unrepeated(text: string): string {
  for (let length = 1; length <= text.length / 2; length += 1) {
    const unit = text.slice(0, length);
    if (unit.repeat(Math.ceil(text.length / length)).startsWith(text)) return unit;
  }
  return text;
}

/** What a guesser who knows the context still has to guess: a long address would be cut into pieces that are no words. */
function essence(password: string, context: string[]): string {
  const words = context.toSorted((a, b) => b.length - a.length);
  const rest = words.reduce(
    (text, word) => text.replaceAll(word.toLowerCase(), ''),
    password.toLowerCase(),
  );
  return unrepeated(rest);
}

export function isStrong(password: string, context: string[]): boolean {
  const points = [...essence(password, context)];
  for (let from = 0; from < points.length; from += PIECE) {
    const piece = points.slice(from, from + PIECE).join('');
    if (zxcvbn.check(piece, context).score >= MIN_SCORE) return true;
  }
  return false;
}

/** Answers whoever started the thread. */
export function reply({ id, password, context }: StrengthQuestion): void {
  parentPort?.postMessage({ id, isStrong: isStrong(password, context) } satisfies StrengthAnswer);
}

parentPort?.on('message', reply);
