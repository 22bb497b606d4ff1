import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds: well above what the work behind these answers takes, well below what a person notices. */
const FLOOR = 40;

/** Answers no sooner than `FLOOR` after it was asked: what the work found is not told by how long it took. */
export async function evenly<T>(work: Promise<T>): Promise<T> {
  const [result] = await Promise.all([work, sleep(FLOOR)]);
  return result;
}

/** The same for refusals alone: a row that is read again takes longer than one that is not there. */
export async function refusedEvenly<T>(work: Promise<T>): Promise<T> {
  const floor = sleep(FLOOR);
  try {
    return await work;
  } catch (error) {
    await floor;
    throw error;
  }
}
