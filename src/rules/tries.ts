/** Something that may be tried a few times: until when (ms), and how often it was. */
interface Tried {
  id: string;
  tries: number;
  until: number;
}

/**
 * The list with one more try of this one, which comes first, or undefined if it has none left. If there are more than `most`,
 * those with the fewest tries go, so a flood of others does not bring back the tries of one that has none left. `until`: when it
 * expires (ms). `tries`: how many each has.
 */
export function withTry<T extends Tried>(
  list: T[],
  { id, until, now, tries, most }: Tried & { now: number; most: number },
): (T | Tried)[] | undefined {
  const known = list.find((one) => one.id === id);
  const done = known?.tries ?? 0;
  if (done >= tries) return undefined;
  const others = list
    .filter((one) => one.id !== id && now < one.until)
    .sort((a, b) => b.tries - a.tries);
  return [{ ...known, id, tries: done + 1, until }, ...others].slice(0, most);
}
