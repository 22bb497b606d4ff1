import { setTimeout as sleep } from 'node:timers/promises';
import type { Pace } from '../context.ts';

/** Answers no sooner than `answerFloor` (ms) after it was asked: what the work found is not told by how long it took. */
export async function evenly<T>(work: Promise<T>, { answerFloor }: Pace): Promise<T> {
  const [result] = await Promise.all([work, sleep(answerFloor)]);
  return result;
}

/** The same for refusals alone: a row that is read again takes longer than one that is not there. */
export async function refusedEvenly<T>(work: Promise<T>, { answerFloor }: Pace): Promise<T> {
  const floor = sleep(answerFloor);
  try {
    return await work;
  } catch (error) {
    await floor;
    throw error;
  }
}
