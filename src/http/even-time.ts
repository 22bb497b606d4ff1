import { setTimeout as sleep } from 'node:timers/promises';
import type { Pace } from '../context.ts';

/** Takes at least `answerFloor` (ms), so the response time does not reveal the result. */
export async function evenly<T>(work: Promise<T>, { answerFloor }: Pace): Promise<T> {
  const [result] = await Promise.all([work, sleep(answerFloor)]);
  return result;
}

/** The same for refusals only: rereading an existing row takes longer than finding none. */
export async function refusedEvenly<T>(work: Promise<T>, { answerFloor }: Pace): Promise<T> {
  const floor = sleep(answerFloor);
  try {
    return await work;
  } catch (error) {
    await floor;
    throw error;
  }
}
