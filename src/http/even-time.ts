import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds: well above the duration of the work, well below what people notice. */
const FLOOR = 40;

/** Takes at least `FLOOR`, so the response time does not reveal the result. */
export async function evenly<T>(work: Promise<T>): Promise<T> {
  const [result] = await Promise.all([work, sleep(FLOOR)]);
  return result;
}

/** The same for refusals only: rereading an existing row takes longer than finding none. */
export async function refusedEvenly<T>(work: Promise<T>): Promise<T> {
  const floor = sleep(FLOOR);
  try {
    return await work;
  } catch (error) {
    await floor;
    throw error;
  }
}
