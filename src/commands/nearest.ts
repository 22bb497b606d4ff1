/** More typing errors than this make another word. */
const MAX_ERRORS = 2;

/** Letters that were added, left out, replaced, or swapped with their neighbour (optimal string alignment). */
function errorsBetween(a: string, b: string): number {
  const table = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number) => table[row]?.[column] as number;
  for (let row = 1; row <= a.length; row += 1) {
    table[row] = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const isSame = a[row - 1] === b[column - 1];
      const isSwapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      (table[row] as number[])[column] = Math.min(
        at(row - 1, column) + 1,
        at(row, column - 1) + 1,
        at(row - 1, column - 1) + (isSame ? 0 : 1),
        isSwapped ? at(row - 2, column - 2) + 1 : Infinity,
      );
    }
  }
  return at(a.length, b.length);
}

/** The name that was probably meant. undefined: none is near. */
function nearestOf(word: string, names: string[]): string | undefined {
  const [nearest] = names
    .map((name) => ({ name, errors: errorsBetween(word, name) }))
    .filter(({ name, errors }) => errors <= MAX_ERRORS && errors < name.length / 2)
    .sort((a, b) => a.errors - b.errors);
  return nearest?.name;
}

/** One line for a word that is no command. It does not repeat the word, which may be a password in the wrong place. */
export function noSuchCommand(word: string, names: string[]): string {
  const nearest = nearestOf(word, names);
  return `There is no such command.${nearest === undefined ? '' : ` Did you mean ${nearest}?`}`;
}
